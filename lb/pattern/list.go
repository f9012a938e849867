package pattern

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// List is a list of patterns with a name, a file's as a rule, that ACLs and maps
// share and that may be changed at run time. Next to what is in force, its version,
// it may hold versions in preparation. All methods are safe for use by many
// goroutines; none is for the request path but TryPut and Settled, which the rules
// that change maps call.
type List struct {
	Name string

	mu       sync.Mutex
	lastID   uint64
	current  uint32
	latest   uint32 // the version prepared last
	versions map[uint32][]*record
	byKey    map[string][]*record // of the current version
	views    []*View
}

// record is one line of the list.
type record struct {
	id   uint64
	line Line
}

// Item is a line of a List as the runtime API shows it.
type Item struct {
	ID             uint64
	Pattern, Value string
}

// NewList returns a list of these lines.
func NewList(name string, lines []Line) *List {
	l := &List{Name: name, versions: make(map[uint32][]*record)}
	for _, line := range lines {
		l.lastID++
		l.versions[0] = append(l.versions[0], &record{l.lastID, line})
	}
	l.index()
	return l
}

func (l *List) index() {
	l.byKey = make(map[string][]*record)
	for _, r := range l.versions[l.current] {
		l.byKey[r.line.Pattern] = append(l.byKey[r.line.Pattern], r)
	}
}

// View is a List as one method sees it.
type View struct {
	o   Options
	now atomic.Pointer[layers]
}

// layers is what a View searches: the bulk, and what was added since it was built,
// so that one addition need not build all anew.
type layers struct{ bulk, recent *Set }

// maxRecent is when the recent additions join the bulk.
const maxRecent = 128

// View compiles the list for a method, or returns the view made before for the
// same options. The error is an *Error that tells the line.
func (l *List) View(o Options) (*View, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.views {
		if v.o == o {
			return v, nil
		}
	}
	v := &View{o: o}
	bulk, err := v.compile(l.versions[l.current])
	if err != nil {
		return nil, err
	}
	v.now.Store(&layers{bulk: bulk})
	l.views = append(l.views, v)
	return v, nil
}

func (v *View) compile(records []*record) (*Set, error) {
	entries, lines := make([]*Entry, len(records)), make([]Line, len(records))
	for i, r := range records {
		value, err := parseValue(v.o.Output, r.line.Value)
		if err != nil {
			return nil, &Error{r.line, err}
		}
		entries[i], lines[i] = &Entry{ID: r.id, Pattern: r.line.Pattern}, r.line
		entries[i].value.Store(value)
	}
	return build(v.o, entries, lines)
}

// Items lists a version; the current one is Current's.
func (l *List) Items(version uint32) []Item {
	l.mu.Lock()
	defer l.mu.Unlock()
	items := make([]Item, 0, len(l.versions[version]))
	for _, r := range l.versions[version] {
		items = append(items, Item{r.id, r.line.Pattern, r.line.Value})
	}
	return items
}

// Versions tells the version in force and the one prepared last.
func (l *List) Versions() (current, latest uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current, l.latest
}

// Prepare starts a new, empty version.
func (l *List) Prepare() (version uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latest++
	return l.latest
}

// Commit puts a prepared version in force at once and drops all older ones. When
// one of its patterns does not fit a view, nothing changes.
func (l *List) Commit(version uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.valid(version) {
		return fmt.Errorf("version %d of %s: out of range", version, l.Name)
	}
	if err := l.rebuild(l.versions[version]); err != nil {
		return err
	}
	for old := range l.versions {
		if int32(old-version) < 0 {
			delete(l.versions, old)
		}
	}
	l.current = version
	l.index()
	return nil
}

// valid tells whether version is between the current and the latest; both wrap.
func (l *List) valid(version uint32) bool {
	return version-l.current <= l.latest-l.current
}

// Add appends lines to a version, all or none. The current one uses them at once.
func (l *List) Add(version uint32, lines ...Line) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.add(version, lines)
}

func (l *List) add(version uint32, lines []Line) error {
	if !l.valid(version) {
		return fmt.Errorf("version %d of %s: out of range", version, l.Name)
	}
	records := make([]*record, len(lines))
	for i, line := range lines {
		records[i] = &record{l.lastID + uint64(i) + 1, line}
	}
	// What does not fit is refused now, not when the version comes in force.
	made, err := l.additions(version, records)
	if err != nil {
		return err
	}
	l.lastID += uint64(len(lines))
	l.versions[version] = append(l.versions[version], records...)
	if version != l.current {
		return nil
	}
	for i, v := range l.views {
		v.now.Store(made[i])
	}
	for _, r := range records {
		l.byKey[r.line.Pattern] = append(l.byKey[r.line.Pattern], r)
	}
	return nil
}

// additions returns every view's layers with records added.
func (l *List) additions(version uint32, records []*record) ([]*layers, error) {
	made := make([]*layers, len(l.views))
	for i, v := range l.views {
		now := v.now.Load()
		recent := records
		if version == l.current {
			all := l.versions[version]
			recent = slices.Concat(all[now.bulk.Len():], records)
		}
		set, err := v.compile(recent)
		if err != nil {
			return nil, err
		}
		made[i] = &layers{bulk: now.bulk, recent: set}
		if version == l.current && len(recent) > maxRecent {
			if set, err = v.compile(slices.Concat(l.versions[version], records)); err != nil {
				return nil, err
			}
			made[i] = &layers{bulk: set}
		}
	}
	return made, nil
}

// rebuild makes records what all views see, or changes nothing.
func (l *List) rebuild(records []*record) error {
	sets := make([]*Set, len(l.views))
	for i, v := range l.views {
		var err error
		if sets[i], err = v.compile(records); err != nil {
			return err
		}
	}
	for i, v := range l.views {
		v.now.Store(&layers{bulk: sets[i]})
	}
	return nil
}

// Set gives all lines of the current version with this pattern a new value, and
// tells how many there are.
func (l *List) Set(pattern, value string) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.set(l.byKey[pattern], value)
}

// SetID is Set for the line with this number.
func (l *List) SetID(id uint64, value string) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.versions[l.current] {
		if r.id == id {
			return l.set([]*record{r}, value)
		}
	}
	return 0, nil
}

func (l *List) set(records []*record, text string) (int, error) {
	values := make([]*Value, len(l.views))
	for i, v := range l.views {
		var err error
		if values[i], err = parseValue(v.o.Output, text); err != nil {
			return 0, fmt.Errorf("set in %s: %w", l.Name, err)
		}
	}
	for _, r := range records {
		r.line.Value = text
		for i, v := range l.views {
			if e := v.now.Load().byID(r.id); e != nil {
				e.value.Store(values[i])
			}
		}
	}
	return len(records), nil
}

// byID finds an entry; they stand in the order of their numbers.
func (a *layers) byID(id uint64) *Entry {
	for _, s := range []*Set{a.bulk, a.recent} {
		if s == nil {
			continue
		}
		i, ok := slices.BinarySearchFunc(s.entries, id, func(e *Entry, id uint64) int { return int(int64(e.ID - id)) })
		if ok {
			return s.entries[i]
		}
	}
	return nil
}

// Delete removes all lines of the current version with this pattern and tells how
// many there were.
func (l *List) Delete(pattern string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.byKey[pattern]) == 0 {
		return 0
	}
	return l.remove(func(r *record) bool { return r.line.Pattern == pattern })
}

// DeleteID removes the line with this number.
func (l *List) DeleteID(id uint64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.remove(func(r *record) bool { return r.id == id })
}

func (l *List) remove(gone func(*record) bool) int {
	before := l.versions[l.current]
	after := slices.DeleteFunc(slices.Clone(before), gone)
	if len(after) == len(before) {
		return 0
	}
	if err := l.rebuild(after); err != nil {
		panic("BUG: pattern: what compiled before does not: " + err.Error())
	}
	l.versions[l.current] = after
	l.index()
	return len(before) - len(after)
}

// Clear empties a version.
func (l *List) Clear(version uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.valid(version) {
		return fmt.Errorf("version %d of %s: out of range", version, l.Name)
	}
	delete(l.versions, version)
	if version != l.current {
		return nil
	}
	l.byKey = make(map[string][]*record)
	return l.rebuild(nil)
}
