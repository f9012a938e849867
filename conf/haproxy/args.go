package haproxy

import (
	"strings"
	"time"

	"baton/conf"
	"baton/internal/diag"
)

// args walks the words of one line. Every complaint carries the place of the
// word that is wrong; after the first one the rest of the line is let go, so
// that one mistake is one message.
type args struct {
	words  []conf.Word
	i      int // the next word
	no     bool
	option bool // reading the options of a bind or server line
	errs   *diag.List
	failed bool

	name  string // the keyword, for messages
	start int    // its first argument
}

func (a *args) more() bool { return !a.failed && a.i < len(a.words) }

func (a *args) peek() string {
	if a.more() {
		return a.words[a.i].Text
	}
	return ""
}

// last is the word read before.
func (a *args) last() conf.Word { return a.words[a.i-1] }

// accept reads the next word if it is text.
func (a *args) accept(text string) bool {
	if a.more() && a.words[a.i].Text == text {
		a.i++
		return true
	}
	return false
}

func (a *args) fail(w conf.Word, hint, format string, v ...any) {
	a.failf(w.Pos, hint, format, v...)
}

func (a *args) failf(p diag.Pos, hint, format string, v ...any) {
	if !a.failed {
		a.errs.Errorf(p, hint, format, v...)
		a.failed = true
	}
}

// next reads a word. what names it for the message when there is none; the
// caret then stands at the last word that is there.
func (a *args) next(what string) (conf.Word, bool) {
	if a.failed {
		return conf.Word{}, false
	}
	if a.i == len(a.words) {
		name := a.last().Text
		if a.i == a.start {
			name = a.name
		}
		a.fail(a.last(), "", "'%s' expects %s", name, what)
		return conf.Word{}, false
	}
	a.i++
	return a.last(), true
}

// need is next for a positional argument: when it is missing, the message names
// the keyword and not the argument before.
func (a *args) need(what string) (conf.Word, bool) {
	if !a.failed && a.i == len(a.words) {
		a.fail(a.last(), "", "'%s' expects %s", a.name, what)
	}
	return a.next(what)
}

// end complains about words that nobody read.
func (a *args) end() {
	if a.more() {
		a.fail(a.words[a.i], "", "unexpected argument '%s'", a.words[a.i].Text)
	}
}

// integer reads a whole number within lo..hi.
func (a *args) integer(what string, lo, hi int) (int, bool) {
	w, ok := a.next(what)
	if !ok {
		return 0, false
	}
	n, ok := parseInt(w.Text, lo, hi)
	if !ok {
		a.fail(w, "", "'%s' is not %s, a whole number from %d to %d", w.Text, what, lo, hi)
	}
	return n, ok
}

// size reads a number of bytes within lo..hi, which may be written with a k, m or g.
func (a *args) size(what string, lo, hi int) (int, bool) {
	w, ok := a.next(what)
	if !ok {
		return 0, false
	}
	digits, shift := w.Text, 0
	if i := strings.IndexAny(w.Text, "kKmMgG"); i >= 0 && i == len(w.Text)-1 {
		digits, shift = w.Text[:i], 10*(1+strings.IndexByte("kmg", w.Text[i]|0x20))
	}
	n, ok := parseInt(digits, 0, hi>>shift)
	if n <<= shift; !ok || n < lo {
		a.fail(w, "", "'%s' is not %s, a number of bytes from %d to %d such as 4096, 16k or 1m", w.Text, what, lo, hi)
		return 0, false
	}
	return n, true
}

// duration reads a time in HAProxy's notation; least is the smallest one allowed.
func (a *args) duration(least time.Duration) (time.Duration, bool) {
	w, ok := a.next("a time, for example 500ms, 10s or 5m")
	if !ok {
		return 0, false
	}
	d, problem := parseTime(w.Text)
	switch problem {
	case "":
	case overflow:
		a.fail(w, "write 0 for no limit", "'%s' is too long: %s", w.Text, problem)
		return 0, false
	default:
		a.fail(w, timeHint, "'%s' is not a time: %s", w.Text, problem)
		return 0, false
	}
	if d < least {
		a.fail(w, "", "'%s' is too short: the least is %s", w.Text, least)
		return 0, false
	}
	return d, true
}
