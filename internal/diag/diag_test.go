package diag

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrite(t *testing.T) {
	long := strings.Repeat("a", 300) + " wrong " + strings.Repeat("b", 300)
	var l List
	l.Errorf(Pos{"k.conf", 3, 5}, "did you mean `interval`?", "unknown keyword `intervall`")
	l.Warnf(Pos{File: "dir"}, "", "the file is empty")
	l.Errorf(Pos{File: "k.conf", Line: 4}, "", "no column")
	l.Errorf(Pos{"k.conf", 5, 302}, "", "in a long line")
	l.Errorf(Pos{"k.conf", 6, 7}, "", "behind tabs, an umlaut and an escape sequence")
	source := map[int]string{3: "    intervall 2", 4: "x", 5: long, 6: "\t\u00e4\x1b[1\xffx"}
	l.Attach(func(_ string, n int) string { return source[n] })
	var b strings.Builder
	if err := l.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := "k.conf:3:5: error: unknown keyword `intervall`\n" +
		"    3 |     intervall 2\n" +
		"      |     ^\n" +
		"        did you mean `interval`?\n" +
		"dir: warning: the file is empty\n" +
		"k.conf:4: error: no column\n" +
		"    4 | x\n" +
		"k.conf:5:302: error: in a long line\n" +
		"    5 | ..." + strings.Repeat("a", 79) + " wrong " + strings.Repeat("b", 74) + "...\n" +
		"      | " + strings.Repeat(" ", 83) + "^\n" +
		"k.conf:6:7: error: behind tabs, an umlaut and an escape sequence\n" +
		"    6 | \t\u00e4?[1?x\n" +
		"      | \t    ^\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestSort(t *testing.T) {
	var l List
	l.Errorf(Pos{"b", 2, 1}, "", "1")
	l.Errorf(Pos{"a", 9, 1}, "", "2")
	l.Errorf(Pos{"b", 1, 5}, "", "3")
	l.Errorf(Pos{"b", 1, 5}, "", "4")
	l.Warnf(Pos{"b", 1, 2}, "", "5")
	l.Sort()
	got := ""
	for _, d := range l {
		got += d.Msg
	}
	if got != "53412" {
		t.Errorf("order %s, want files as they came, lines, columns, then as found", got)
	}
	if l.Errors() != 4 {
		t.Errorf("%d errors, want 4", l.Errors())
	}
}

func TestNearest(t *testing.T) {
	words := []string{"interval", "weight", "rise", "fall", "dev", "frontend"}
	for word, want := range map[string]string{
		"intervall": "interval", "inteval": "interval", "wieght": "weight", "riise": "rise", "frnted": "frontend",
		"de": "dev", "bind": "", "x": "", "": "", "zzzzzzzz": "",
	} {
		if got := Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
