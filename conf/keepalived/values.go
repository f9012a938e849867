package keepalived

import (
	"math"
	"strconv"
	"strings"
	"time"

	"baton/conf"
)

// integer reads a decimal number within bounds.
func (l *lowerer) integer(keyword string, w conf.Word, lo, hi int) (int, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(w.Text, "+"))
	if err != nil || n < lo || n > hi {
		if hi == math.MaxInt32 {
			l.errs.Errorf(w.Pos, "", "`%s` must be a whole number of at least %d, not `%s`", keyword, lo, w.Text)
		} else {
			l.errs.Errorf(w.Pos, "", "`%s` must be a whole number from %d to %d, not `%s`", keyword, lo, hi, w.Text)
		}
		return 0, false
	}
	return n, true
}

// seconds reads a time in seconds, with a fraction of up to six digits. It must
// be more than 0 and at most a year.
func (l *lowerer) seconds(keyword string, w conf.Word) (time.Duration, bool) {
	d, ok := parseSeconds(w.Text)
	if !ok || d <= 0 || d > 365*24*time.Hour {
		l.errs.Errorf(w.Pos, "seconds, such as 2 or 0.5", "`%s` must be a time of more than 0 s, not `%s`", keyword, w.Text)
		return 0, false
	}
	return d, true
}

// parseSeconds is exact: no floating point is involved.
func parseSeconds(s string) (time.Duration, bool) {
	whole, fraction, dotted := strings.Cut(s, ".")
	if whole == "" && fraction == "" || len(fraction) > 6 || len(whole) > 9 || dotted && fraction == "" {
		return 0, false
	}
	digits := whole + fraction + strings.Repeat("0", 6-len(fraction))
	if strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	us, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, false
	}
	return time.Duration(us) * time.Microsecond, true
}

// maxWeight bounds weights: more could never matter between priorities 1 and 254.
const maxWeight = 253

// weight reads `N [reverse|noreverse]` from the words behind the keyword.
func (l *lowerer) weight(words []conf.Word) (n int, reverse bool, ok bool) {
	n, ok = l.integer("weight", words[0], -maxWeight, maxWeight)
	if len(words) > 1 {
		switch words[1].Text {
		case "reverse":
			reverse = true
		case "noreverse", "no_reverse":
		default:
			l.errs.Errorf(words[1].Pos, "", "`weight` is followed by `reverse`, `noreverse` or nothing, not `%s`", words[1].Text)
			ok = false
		}
	}
	return n, reverse, ok
}

// on reads a switch: the keyword alone means that it is on.
func (l *lowerer) on(b *conf.Block) bool {
	if len(b.Words) == 1 {
		return true
	}
	switch w := b.Words[1]; w.Text {
	case "on", "true", "yes":
		return true
	case "off", "false", "no":
	default:
		l.errs.Errorf(w.Pos, "", "`%s` must be on or off, not `%s`", b.Words[0].Text, w.Text)
	}
	return false
}

// onlyValue makes the parser of a keyword of which baton does one value only,
// keepalived's default; the keyword alone stands for the value `alone`.
func onlyValue[T any](alone string, allowed ...string) func(*lowerer, *conf.Block, *T) {
	return func(l *lowerer, b *conf.Block, _ *T) {
		got, pos := alone, b.Words[0].Pos
		if len(b.Words) > 1 {
			got, pos = b.Words[1].Text, b.Words[1].Pos
		}
		for _, a := range allowed {
			if got == a {
				return
			}
		}
		l.errs.Errorf(pos, "baton does `"+b.Words[0].Text+" "+allowed[0]+"`", "`%s %s` is known, not supported yet", b.Words[0].Text, got)
	}
}

// only makes rows of keywords with one value.
func only[T any](doc, value string, names ...string) []entry[T] {
	out := make([]entry[T], len(names))
	for i, n := range names {
		out[i] = entry[T]{name: n, doc: doc + "; only " + value + " so far", min: 1, max: 1, parse: onlyValue[T]("", value)}
	}
	return out
}
