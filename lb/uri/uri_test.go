package uri

import (
	"bufio"
	"bytes"
	"os"
	"strings"
	"testing"
)

// The paths were sent to a real haproxy, the manual's examples among them.
func TestAsHAProxy(t *testing.T) {
	f, err := os.Open("testdata/haproxy-2.6.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		row := strings.Split(lines.Text(), "\t")
		if len(row) != 3 {
			continue
		}
		n++
		name, option, _ := strings.Cut(row[0], " ")
		normalizer, ok := Lookup(name, option)
		if !ok {
			t.Fatalf("no normalizer %q", row[0])
		}
		got, ok := normalizer.Append(nil, []byte(row[1]))
		if !ok {
			got = []byte("400")
		}
		if string(got) != row[2] {
			t.Errorf("%s %s: %s, want %s", row[0], row[1], got, row[2])
		}
	}
	if n < 500 {
		t.Errorf("only %d rows", n)
	}
}

func TestNamesAreFound(t *testing.T) {
	for _, name := range Names() {
		if n, ok := Lookup(name, ""); !ok || n.String() != name {
			t.Errorf("%s: %v", name, n)
		}
	}
	if _, ok := Lookup("path-strip-dot", "full"); ok {
		t.Error("path-strip-dot has no option")
	}
}

func TestAllocatesNothing(t *testing.T) {
	in, dst := []byte("/a/../%41//./x?c=3&a=1&b=2&a=0"), make([]byte, 0, 100)
	for n := FragmentEncode; n <= QuerySortByName; n++ {
		if got := testing.AllocsPerRun(10, func() { n.Append(dst, in) }); got != 0 {
			t.Errorf("%s: %v allocations", n, got)
		}
	}
}

// Whatever comes, the result is a path again, grows only where bytes are encoded, keeps
// what was before it, and is normal.
func FuzzAppend(f *testing.F) {
	for _, s := range []string{"/", "/a/../b", "/%61%%36?x&a", "/./..//?b=1&a#c", "/..", "/%ZZ#"} {
		for n := FragmentEncode; n <= QuerySortByName; n++ {
			f.Add(uint8(n), s)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, in string) {
		if !strings.HasPrefix(in, "/") {
			return
		}
		n := FragmentEncode + Normalizer(which)%QuerySortByName
		got, ok := n.Append([]byte("http://h"), []byte(in))
		if !bytes.HasPrefix(got, []byte("http://h")) {
			t.Fatalf("%s %q: %q", n, in, got)
		}
		if !ok {
			return
		}
		path := got[len("http://h"):]
		longest := len(in) + 1 // the slash behind a last ".."
		if n == FragmentEncode {
			longest = 3 * len(in)
		}
		if path[0] != '/' || len(path) > longest {
			t.Fatalf("%s %q: %q", n, in, path)
		}
		if n == PercentDecodeUnreserved || n == QuerySortByName && bytes.HasSuffix(path, ampersand) {
			return // what is decoded may make a new sequence, as the manual warns; one & goes each time
		}
		again, ok := n.Append(nil, path)
		if !ok || !bytes.Equal(again, path) {
			t.Errorf("%s %q: %q, and once more %q", n, in, path, again)
		}
	})
}
