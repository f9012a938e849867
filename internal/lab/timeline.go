package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// tone is how an entry is meant to be read; a terminal shows it in colour.
type tone int

const (
	plainTone tone = iota
	headTone       // a new act begins
	goodTone
	badTone
	doneTone // what the demo itself did
)

// entry is one line of the timeline. Times count from the start of the demo.
type entry struct {
	at   time.Duration
	who  string // "lb1", "client"; empty for a heading
	text string
	tone tone
}

// lag is how long an entry waits for earlier ones: what a kernel says and what
// the client's process says do not come in one queue, and an outage of the
// client's is one only after a while.
const lag = silence + 3*clockEvery

// timeline puts entries in order of time.
type timeline struct{ waiting []entry }

func (t *timeline) add(e entry) {
	i, _ := slices.BinarySearchFunc(t.waiting, e.at, func(w entry, at time.Duration) int {
		if w.at <= at {
			return -1 // behind those of the same time
		}
		return 1
	})
	t.waiting = slices.Insert(t.waiting, i, e)
}

// take returns the entries that are due: those up to the given time.
func (t *timeline) take(upTo time.Duration) []entry {
	n := 0
	for n < len(t.waiting) && t.waiting[n].at <= upTo {
		n++
	}
	due := slices.Clone(t.waiting[:n])
	t.waiting = slices.Delete(t.waiting, 0, n)
	return due
}

// style is what the place that the text goes to can show.
type style struct {
	colour bool
	utf8   bool
}

const (
	reset = "\x1b[0m"
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
	cyan  = "\x1b[36m"
)

func (st style) paint(code, text string) string {
	if !st.colour || code == "" {
		return text
	}
	return code + text + reset
}

// line prints an entry: "   4.102  lb1      holds 192.0.2.100".
func (st style) line(e entry) string {
	if e.tone == headTone {
		return "\n" + st.paint(bold, e.text) + "\n"
	}
	code := map[tone]string{goodTone: green, badTone: red, doneTone: cyan}[e.tone]
	at := fmt.Sprintf("%8.3f", e.at.Seconds())
	indent := "\n" + strings.Repeat(" ", 19)
	return st.paint(faint, at) + fmt.Sprintf("  %-7s  ", e.who) + st.paint(code, strings.ReplaceAll(e.text, "\n", indent)) + "\n"
}

// ms prints a duration in whole milliseconds, with groups of three.
func ms(d time.Duration) string {
	return count(int(d.Round(time.Millisecond)/time.Millisecond)) + " ms"
}

// count prints a number of at least 0 in groups of three: 12 345.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
