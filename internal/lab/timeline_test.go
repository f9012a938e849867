package lab

import (
	"testing"
	"time"
)

func TestTimelineOrder(t *testing.T) {
	var tl timeline
	for _, e := range []entry{{at: 30, text: "c"}, {at: 10, text: "a"}, {at: 30, text: "d"}, {at: 20, text: "b"}, {at: 40, text: "e"}} {
		tl.add(e)
	}
	var got string
	for _, e := range tl.take(30) {
		got += e.text
	}
	tl.add(entry{at: 35, text: "late"})
	for _, e := range tl.take(100) {
		got += " " + e.text
	}
	if want := "abcd late e"; got != want {
		t.Errorf("order %q, want %q", got, want)
	}
	if rest := tl.take(1000); len(rest) != 0 {
		t.Errorf("%v came twice", rest)
	}
}

func TestLines(t *testing.T) {
	e := entry{1234567 * time.Microsecond, "lb1", "holds it\nstill", goodTone}
	for _, c := range []struct {
		style style
		entry entry
		want  string
	}{
		{style{}, e, "   1.235  lb1      holds it\n                   still\n"},
		{style{colour: true}, entry{time.Second, "lb1", "holds it", goodTone}, "\x1b[2m   1.000\x1b[0m  lb1      \x1b[32mholds it\x1b[0m\n"},
		{style{}, entry{text: "2. An act", tone: headTone}, "\n2. An act\n"},
	} {
		if got := c.style.line(c.entry); got != c.want {
			t.Errorf("%+v: %q, want %q", c.entry, got, c.want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1 000", 12345: "12 345", 1234567: "1 234 567"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}
