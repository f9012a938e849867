package pattern

// What the rules that change maps and ACLs do to the current version. Compiling may take
// long, and whoever compiles holds the mutex: event loops call the Try methods, which do
// at once what needs neither, and hand the rest to a goroutine that calls Put, Insert or
// Delete.

// Put gives all lines with this pattern a value, or adds one where there is none.
func (l *List) Put(pattern, value string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if records := l.byKey[pattern]; len(records) > 0 {
		_, err := l.set(records, value)
		return err
	}
	return l.add(l.current, []Line{{Pattern: pattern, Value: value}})
}

// Insert adds a line with this pattern unless there is one.
func (l *List) Insert(pattern string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.byKey[pattern]) > 0 {
		return nil
	}
	return l.add(l.current, []Line{{Pattern: pattern}})
}

// TryPut is Put where the lines are there. It reports false when nothing was done, and
// allocates nothing where nothing changes.
func (l *List) TryPut(pattern, value []byte) bool {
	if !l.mu.TryLock() {
		return false
	}
	defer l.mu.Unlock()
	records := l.byKey[string(pattern)]
	same := true
	for _, r := range records {
		same = same && r.line.Value == string(value)
	}
	if len(records) == 0 || same {
		return len(records) > 0
	}
	_, err := l.set(records, string(value))
	return err == nil
}

// Settled reports whether it is certain that lines with this pattern are there, or are
// not there, as wanted: nothing is left for Insert or Delete.
func (l *List) Settled(pattern []byte, there bool) bool {
	if !l.mu.TryLock() {
		return false
	}
	defer l.mu.Unlock()
	return there == (len(l.byKey[string(pattern)]) > 0)
}
