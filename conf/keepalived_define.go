package conf

import (
	"maps"
	"slices"
	"strings"

	"baton/internal/diag"
)

// definition is `$NAME=value`, or with body set a definition of several lines.
type definition struct {
	name  string
	value string
	body  []bodyLine // nil: a single line
}

// bodyLine is one line of a definition, comments stripped.
type bodyLine struct {
	text text
	pos  diag.Pos // the line's start
}

// Limits of expansion: far above any sensible file, low enough that one that
// multiplies itself ends at once.
const (
	maxExpandedLine  = 1 << 20 // bytes of one line after substitution
	maxExpandedLines = 200_000 // lines that all definitions of a run expand to
	maxExpandDepth   = 64      // definitions within definitions
	maxExpansion     = 1 << 24 // bytes and references that all definitions of a run expand to
)

// parseDefinition recognises `$NAME=value` at the start of a line.
func parseDefinition(t text) (name, value string, ok bool) {
	n := 0
	if strings.HasPrefix(t.s, "$") {
		n = nameLen(t.s[1:])
	}
	if n == 0 || len(t.s) == 1+n || t.s[1+n] != '=' {
		return "", "", false
	}
	return t.s[1 : 1+n], strings.Trim(t.s[2+n:], blanks), true
}

// define handles a definition; more reports that its lines follow, each but the
// last ending in a backslash.
func (r *reader) define(t text, name, value string) (more bool) {
	if name[0] == '_' {
		r.errs.Warnf(t.pos(0), "choose a name without it", "names that start with an underscore are reserved: $%s", name)
	}
	d := &definition{name: name, value: value}
	r.defs[name] = d
	if !strings.HasSuffix(value, `\`) {
		return false
	}
	d.value = ""
	d.body = []bodyLine{}
	if first := strings.TrimRight(strings.TrimSuffix(value, `\`), blanks); first != "" {
		r.errs.Errorf(t.pos(2+len(name)), "start the value on the next line", "nothing but a backslash may follow `$%s=` in a definition of several lines", name)
	}
	r.defining = d
	return true
}

// defineLine adds one physical line to the definition being read. The first line
// without a backslash is the last, be it empty: so does keepalived 2.2, though the
// manual's examples have empty lines in the middle.
func (r *reader) defineLine(s string, pos diag.Pos) {
	s = strings.TrimRight(stripComment(s, pos, r.errs), blanks)
	more := strings.HasSuffix(s, `\`)
	if more {
		s = strings.TrimRight(s[:len(s)-1], blanks)
	}
	if s != "" {
		r.defining.body = append(r.defining.body, bodyLine{newText(s, pos), pos})
	}
	if !more {
		r.defining = nil
	}
}

// wholeReference returns the definition of several lines that a line consists of.
func (r *reader) wholeReference(t text) *definition {
	s := strings.TrimRight(t.s, blanks)
	name := ""
	if n := referenceLen(s); n > 0 && n == len(s) {
		name = s[2 : n-1]
	} else if strings.HasPrefix(s, "$") && nameLen(s[1:]) == len(s)-1 {
		name = s[1:]
	}
	if d := r.defs[name]; d != nil && d.body != nil {
		return d
	}
	return nil
}

// substitute replaces references to definitions: `${NAME}` anywhere, `$NAME`
// before a blank or the end of the line. A name that is not defined stays as it
// is. Replacement happens at the place of use and is recursive.
func (r *reader) substitute(t text) (text, bool) {
	if strings.IndexByte(t.s, '$') < 0 {
		return t, true
	}
	e := expander{r: r, line: t}
	e.expand(t.s, nil, 0)
	if e.failed {
		return text{}, false
	}
	return text{s: e.b.String(), segs: e.segs}, true
}

// expander builds one substituted line.
type expander struct {
	r      *reader
	line   text // as written
	b      strings.Builder
	segs   []segment
	failed bool
}

// expand writes s. within is the reference that s is the value of, or nil for
// the line itself.
func (e *expander) expand(s string, within *diag.Pos, depth int) {
	from := 0
	flush := func(to int) {
		if to > from {
			if within != nil {
				e.segs = append(e.segs, segment{off: e.b.Len(), pos: *within, fixed: true})
			} else {
				e.copySegments(from, to)
			}
			e.b.WriteString(s[from:to])
		}
		from = to
	}
	for i := 0; i < len(s) && !e.failed; {
		name, n := reference(s, i)
		if n == 0 {
			if within == nil {
				e.warnGlued(s, i)
			}
			i++
			continue
		}
		at := within
		if at == nil {
			p := e.line.pos(i)
			at = &p
		}
		value, ok := e.lookup(name, *at)
		if !ok {
			if within == nil && !e.failed && unknownMatters(s, i) {
				e.r.errs.Warnf(*at, e.r.nearDefinition(name), "`%s` is not defined and stays as it is", s[i:i+n])
			}
			i += n
			continue
		}
		flush(i)
		e.r.expansion += 1 + len(value)
		if depth == maxExpandDepth || e.b.Len()+len(value) > maxExpandedLine || e.r.expansion > maxExpansion {
			e.r.errs.Errorf(*at, "look for a definition that refers to itself", "the value of $%s has no end", name)
			e.failed = true
			return
		}
		e.expand(value, at, depth+1)
		i += n
		from = i
	}
	flush(len(s))
	if len(e.segs) == 0 {
		e.segs = []segment{{pos: e.line.pos(0)}}
	}
}

// warnGlued tells of `$NAME/24`, which is no reference although NAME is defined:
// keepalived wants a blank or the end of the line behind a name without braces.
func (e *expander) warnGlued(s string, i int) {
	if s[i] != '$' {
		return
	}
	name := s[i+1 : i+1+nameLen(s[i+1:])]
	if e.r.defs[name] != nil {
		e.r.errs.Warnf(e.line.pos(i), "write ${"+name+"}", "`$%s` stays as it is: a blank does not follow it", name)
	}
}

// unknownMatters reports that the reference at s[i], whose name is not defined, was
// meant as one: a password may hold a dollar sign, `~SEQ(N, ...)` gives its own
// names values, and `$NAME = value` is told of elsewhere.
func unknownMatters(s string, i int) bool {
	if s[0] == '~' || i == 0 && definitionWithBlank(s) {
		return false
	}
	return i == 0 || isBlank(s[i-1]) || s[i+1] == '{'
}

// nearDefinition hints at a definition that may have been meant.
func (r *reader) nearDefinition(name string) string {
	known := slices.Sorted(maps.Keys(r.defs)) // so that the nearest of several is always the same
	if near := diag.Nearest(name, known); near != "" {
		return "did you mean `$" + near + "`?"
	}
	return "definitions look like $" + name + "=value; variables of the environment are for HAProxy's sections"
}

// copySegments keeps the places of the bytes that are written as they stand.
func (e *expander) copySegments(from, to int) {
	shift := e.b.Len() - from
	e.segs = append(e.segs, segment{off: e.b.Len(), pos: e.line.pos(from)})
	for _, seg := range e.line.segs {
		if seg.off > from && seg.off < to {
			seg.off += shift
			e.segs = append(e.segs, seg)
		}
	}
}

// reference returns the name that the reference at s[i] stands for and its length.
func reference(s string, i int) (name string, n int) {
	if s[i] != '$' {
		return "", 0
	}
	if n = referenceLen(s[i:]); n > 0 {
		return s[i+2 : i+n-1], n
	}
	end := i + 1 + nameLen(s[i+1:])
	if end > i+1 && (end == len(s) || isBlank(s[end])) {
		return s[i+1 : end], end - i
	}
	return "", 0
}

// lookup returns the value of a definition or of a predefined name.
func (e *expander) lookup(name string, at diag.Pos) (string, bool) {
	if d := e.r.defs[name]; d != nil {
		if d.body != nil {
			e.r.errs.Errorf(at, "write the reference on a line of its own", "$%s is a definition of several lines", name)
			e.failed = true
		}
		return d.value, true
	}
	switch name {
	case "_PWD":
		return e.r.file.dir(), true
	case "_INSTANCE":
		e.r.dependsOnNode(at)
		return e.r.src.Node, true
	case "_HASH":
		return "#", true
	case "_BANG":
		return "!", true
	}
	if strings.HasPrefix(name, "_RANDOM") {
		e.r.errs.Errorf(at, "write the number", "${_RANDOM} is known, not supported yet")
		e.failed = true
	}
	return "", false
}
