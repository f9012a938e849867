package cookie

import "bytes"

// Dates are what a cookie with `maxidle` or `maxlife` tells behind its value: when it was
// sent last, and when the client got its first one, in Unix seconds. 0 is no date.
//
//	VALUE|LAST|FIRST
//
// A date is five digits of base 64 that count quarters of a minute's fifteenth: units
// of four seconds, rounded up.
type Dates struct{ Last, First int64 }

const (
	unit   = 4
	digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	width  = 5
	// ahead is how far in the future a date may be: the manual's 24 hours for those who
	// got their time zone wrong.
	ahead = 24 * 60 * 60
)

// Cut parts a cookie's value from its dates.
func Cut(value []byte) (id []byte, d Dates) {
	id, rest, ok := bytes.Cut(value, bar)
	if !ok {
		return id, d
	}
	last, first, _ := bytes.Cut(rest, bar)
	return id, Dates{parseDate(last), parseDate(first)}
}

var bar = []byte{'|'}

// parseDate reads the date that b begins with; 0: it does not begin with one.
func parseDate(b []byte) int64 {
	if len(b) < width {
		return 0
	}
	n := int64(0)
	for _, c := range b[:width] {
		i := bytes.IndexByte(digitBytes, c)
		if i < 0 {
			return 0
		}
		n = n<<6 | int64(i)
	}
	return n * unit
}

var digitBytes = []byte(digits)

// AppendDate appends a bar and a date.
func AppendDate(dst []byte, at int64) []byte {
	n := (at + unit - 1) / unit
	dst = append(dst, '|')
	for shift := 6 * (width - 1); shift >= 0; shift -= 6 {
		dst = append(dst, digits[n>>shift&63])
	}
	return dst
}

// Idle reports whether a cookie is not taken any more because its client was away for
// more than maxIdle seconds; one without the date is taken.
func (d Dates) Idle(now, maxIdle int64) bool { return expired(d.Last, now, maxIdle) }

// Old reports whether a cookie is not taken any more because its client has it for more
// than maxLife seconds.
func (d Dates) Old(now, maxLife int64) bool { return expired(d.First, now, maxLife) }

func expired(date, now, limit int64) bool {
	return limit > 0 && date != 0 && (now-date > limit || date-now > ahead)
}

// Stale reports whether a client should get its cookie with new dates, or without those
// that nobody asks for any more: one is missing, or that of the last visit is past.
func (d Dates) Stale(now, maxIdle, maxLife int64) bool {
	switch {
	case (maxLife > 0) != (d.First != 0):
		return true
	case d.Last == 0:
		return maxIdle > 0
	}
	return d.Last < now
}
