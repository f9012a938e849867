package pattern

import "testing"

// Put and Insert change what is there, or add; the Try methods do what needs nothing
// compiled, and say so.
func TestChangesByRules(t *testing.T) {
	l := NewList("f", []Line{{Pattern: "a", Value: "1"}, {Pattern: "a", Value: "2"}})
	v, err := l.View(Options{Method: Str, Output: OutputInt})
	if err != nil {
		t.Fatal(err)
	}
	is := func(pattern string, want int64) {
		t.Helper()
		e := v.Bytes([]byte(pattern))
		if want < 0 {
			if e != nil {
				t.Errorf("%s is %v, want nothing", pattern, e.Value())
			}
		} else if e == nil || e.Value().Int != want {
			t.Errorf("%s is %v, want %d", pattern, e, want)
		}
	}
	if l.TryPut([]byte("b"), []byte("3")) {
		t.Error("a new pattern was put without compiling")
	}
	is("b", -1)
	if err := l.Put("b", "3"); err != nil {
		t.Error(err)
	}
	is("b", 3)
	if !l.TryPut([]byte("a"), []byte("4")) {
		t.Error("a value was not changed at once")
	}
	is("a", 4)
	if l.TryPut([]byte("a"), []byte("x")) {
		t.Error("a value that is none was put")
	}
	is("a", 4)
	if err := l.Put("c", "x"); err == nil {
		t.Error("a pattern was put with a value that is none")
	}
	is("c", -1)

	for range 2 {
		if err := l.Insert("b"); err != nil {
			t.Error(err)
		}
	}
	if n := len(l.Items(0)); n != 3 {
		t.Errorf("%d lines, want 3: there was one of that pattern", n)
	}
	is("b", 3)
	if !l.Settled([]byte("b"), true) || l.Settled([]byte("b"), false) || !l.Settled([]byte("c"), false) || l.Settled([]byte("c"), true) {
		t.Error("what is there is not known")
	}

	l.mu.Lock() // somebody compiles
	defer l.mu.Unlock()
	if l.TryPut([]byte("a"), []byte("4")) || l.Settled([]byte("c"), false) {
		t.Error("there was something to say while others change the list")
	}
}
