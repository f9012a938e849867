package pattern

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChanges makes random changes to a list and compares its views with a plain
// search in what the list should hold.
func TestChanges(t *testing.T) {
	for _, m := range []Method{Str, Beg, End, Sub, Dir, Reg, IP, Int} {
		t.Run(m.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, uint64(m)))
			model := randomLines(r, m, 5)
			l := NewList("x", model)
			o := Options{Method: m, Output: OutputStr}
			v := view(t, l, o)
			model = slices.Clone(model)
			for n := range 1500 {
				switch r.IntN(20) {
				case 0: // delete
					p := model[r.IntN(len(model))].Pattern
					before := len(model)
					model = slices.DeleteFunc(model, func(l Line) bool { return l.Pattern == p })
					if got := l.Delete(p); got != before-len(model) {
						t.Fatalf("Delete(%q) = %d, want %d", p, got, before-len(model))
					}
				case 1: // set
					p, value := model[r.IntN(len(model))].Pattern, strconv.Itoa(100000+n)
					for i := range model {
						if model[i].Pattern == p {
							model[i].Value = value
						}
					}
					if _, err := l.Set(p, value); err != nil {
						t.Fatal(err)
					}
				case 2: // replace
					if n%5 > 0 {
						break
					}
					version := l.Prepare()
					model = randomLines(r, m, 3)
					add(t, l, version, model[0])
					add(t, l, version, model[1:]...)
					if err := l.Commit(version); err != nil {
						t.Fatal(err)
					}
				}
				line := Line{Pattern: randomPattern(r, m), Value: strconv.Itoa(n)}
				model = append(model, line)
				current, _ := l.Versions()
				add(t, l, current, line)
				check(t, r, o, v, model)
			}
			var items []Line
			current, _ := l.Versions()
			for _, i := range l.Items(current) {
				items = append(items, Line{Pattern: i.Pattern, Value: i.Value})
			}
			if d := cmp.Diff(model, items); d != "" {
				t.Error(d)
			}
		})
	}
}

func add(t *testing.T, l *List, version uint32, lines ...Line) {
	t.Helper()
	if err := l.Add(version, lines...); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, l *List, o Options) *View {
	t.Helper()
	v, err := l.View(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func check(t *testing.T, r *rand.Rand, o Options, v *View, model []Line) {
	t.Helper()
	p := plain{o, model}
	var got *Entry
	var want int
	var sample any
	switch o.Method {
	case IP:
		a := randomAddr(r)
		got, want, sample = v.Addr(a), p.addr(a), a
	case Int:
		n := int64(r.IntN(40) - 15)
		got, want, sample = v.Int(n), p.int(n), n
	default:
		b := word(r, "abAB/.:?k", 9)
		got, want, sample = v.Bytes([]byte(b)), p.bytes([]byte(b)), b
	}
	found, wanted := "none", "none"
	if got != nil {
		found = got.Value().Text
	}
	if want >= 0 {
		wanted = model[want].Value
	}
	if found != wanted {
		t.Fatalf("%v %v in %v: %s, want %s", o.Method, sample, model, found, wanted)
	}
}

// TestRefusedChanges: what does not fit a view changes nothing in any.
func TestRefusedChanges(t *testing.T) {
	l := NewList("f", []Line{{Pattern: "10.0.0.0/8", Value: "1"}})
	ip, str := view(t, l, Options{Method: IP, Output: OutputInt}), view(t, l, Options{Method: Str, Output: OutputStr})
	if err := l.Add(0, Line{Pattern: "192.0.2.1", Value: "2"}, Line{Pattern: "x", Value: "3"}); err == nil {
		t.Error("Add of a word to a list of addresses succeeds")
	}
	if _, err := l.Set("10.0.0.0/8", "word"); err == nil {
		t.Error("Set of a word in a map of numbers succeeds")
	}
	if err := l.Add(7, Line{Pattern: "192.0.2.1"}); err == nil {
		t.Error("Add to a version that was not prepared succeeds")
	}
	if err := l.Commit(3); err == nil {
		t.Error("Commit of a version that was not prepared succeeds")
	}
	if e := ip.Addr(netip.MustParseAddr("192.0.2.1")); e != nil {
		t.Errorf("found %v", e.Pattern)
	}
	if e := str.Bytes([]byte("10.0.0.0/8")); e == nil || e.Value().Text != "1" {
		t.Error("the entry has changed")
	}
	if _, err := l.View(Options{Method: Int}); err == nil || err.Error() != "'10.0.0.0/8' is not a number" {
		t.Errorf("View: %v", err)
	}
}

func TestVersions(t *testing.T) {
	l := NewList("f", []Line{{Pattern: "a"}})
	v := view(t, l, Options{Method: Str})
	one, two := l.Prepare(), l.Prepare()
	add(t, l, two, Line{Pattern: "b"})
	add(t, l, one, Line{Pattern: "c"})
	has := func(want string) {
		t.Helper()
		got := ""
		for _, p := range []string{"a", "b", "c"} {
			if v.Bytes([]byte(p)) != nil {
				got += p
			}
		}
		if got != want {
			t.Errorf("matches %s, want %s", got, want)
		}
	}
	has("a")
	if err := l.Commit(two); err != nil {
		t.Fatal(err)
	}
	has("b")
	if err := l.Commit(one); err == nil || len(l.Items(one)) != 0 {
		t.Errorf("version %d is still there: %v", one, err)
	}
	id := l.Items(two)[0].ID
	if n := l.DeleteID(id); n != 1 {
		t.Errorf("DeleteID = %d", n)
	}
	has("")
	add(t, l, two, Line{Pattern: "a"}, Line{Pattern: "c"})
	has("ac")
	if err := l.Clear(two); err != nil {
		t.Fatal(err)
	}
	has("")
}

// TestReadersNeverWait: lookups while the list changes; the race detector watches.
func TestReadersNeverWait(t *testing.T) {
	l := NewList("f", []Line{{Pattern: "always", Value: "1"}})
	v := view(t, l, Options{Method: Str, Output: OutputInt})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 1000 {
			add(t, l, 0, Line{Pattern: fmt.Sprint("k", i), Value: "2"})
			if _, err := l.Set("always", strconv.Itoa(i)); err != nil {
				t.Error(err)
			}
		}
	}()
	for {
		if v.Bytes([]byte("always")) == nil {
			t.Fatal("the entry is gone")
		}
		select {
		case <-done:
			return
		default:
		}
	}
}
