package sample

import "time"

// dateConverters write dates. The zone of local time is World.Wall's.
var dateConverters = []converter{
	{"http_date", []argKind{argInt, argStr}, 0, Int, Str, runHTTPDate, checkUnit, "a date as HTTP headers have it: offset, unit s, ms or us"},
	{"ltime", []argKind{argStr, argInt}, 1, Int, Str, formatTime(1, false), nil, "local time by a strftime format, from seconds"},
	{"ms_ltime", []argKind{argStr, argInt}, 1, Int, Str, formatTime(1e3, false), nil, "local time by a strftime format with %N, from milliseconds"},
	{"ms_utime", []argKind{argStr, argInt}, 1, Int, Str, formatTime(1e3, true), nil, "UTC by a strftime format with %N, from milliseconds"},
	{"us_ltime", []argKind{argStr, argInt}, 1, Int, Str, formatTime(1e6, false), nil, "local time by a strftime format with %N, from microseconds"},
	{"us_utime", []argKind{argStr, argInt}, 1, Int, Str, formatTime(1e6, true), nil, "UTC by a strftime format with %N, from microseconds"},
	{"utime", []argKind{argStr, argInt}, 1, Int, Str, formatTime(1, true), nil, "UTC by a strftime format, from seconds"},
}

// instant is n units after 1970.
func instant(n, unit int64) time.Time {
	sec, part := n/unit, n%unit
	return time.Unix(sec, part*(1e9/unit))
}

func runHTTPDate(c *Ctx, a []Arg, s *Sample) bool {
	t := instant(add(s.Int, a[0].Int), a[1].Int).UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return false
	}
	return s.setStr(t.AppendFormat(c.room(), "Mon, 02 Jan 2006 15:04:05 GMT"))
}

// formatTime's offset is in seconds, whatever the input counts.
func formatTime(unit int64, utc bool) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		t := instant(add(s.Int, mul(a[1].Int, unit)), unit)
		if utc {
			t = t.In(gmt)
		} else if c.World != nil {
			t = t.In(c.World.Wall().Location())
		}
		if y := t.Year(); y < -9999 || y > 9999 {
			return false
		}
		digits := 0
		switch unit {
		case 1e3:
			digits = 3
		case 1e6:
			digits = 6
		}
		return s.setStr(appendTime(c.room(), a[0].B, t, digits))
	}
}

// gmt is UTC by the name that strftime gives it.
var gmt = time.FixedZone("GMT", 0)

// appendTime is strftime(3) in the C locale. %N is the part of a second, with the
// given number of digits; unknown conversions stay as they are.
func appendTime(dst, format []byte, t time.Time, digits int) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			dst = appendFit(dst, format[i])
			continue
		}
		i++
		if conv := format[i]; conv == 'N' && digits > 0 {
			n := t.Nanosecond()
			for range 9 - digits {
				n /= 10
			}
			dst = appendPadded(dst, n, digits, '0')
		} else {
			dst = appendConversion(dst, conv, t)
		}
	}
	return dst
}

func appendConversion(dst []byte, conv byte, t time.Time) []byte {
	if cap(dst)-len(dst) < 64 { // longer than any conversion
		return dst
	}
	isoYear, isoWeek := t.ISOWeek()
	hour12 := (t.Hour()+11)%12 + 1
	switch conv {
	case 'a':
		return t.AppendFormat(dst, "Mon")
	case 'A':
		return t.AppendFormat(dst, "Monday")
	case 'b', 'h':
		return t.AppendFormat(dst, "Jan")
	case 'B':
		return t.AppendFormat(dst, "January")
	case 'c':
		return t.AppendFormat(dst, "Mon Jan _2 15:04:05 2006")
	case 'C':
		return appendPadded(dst, t.Year()/100, 2, '0')
	case 'd':
		return appendPadded(dst, t.Day(), 2, '0')
	case 'D', 'x':
		return t.AppendFormat(dst, "01/02/06")
	case 'e':
		return appendPadded(dst, t.Day(), 2, ' ')
	case 'F':
		return t.AppendFormat(dst, "2006-01-02")
	case 'g':
		return appendPadded(dst, isoYear%100, 2, '0')
	case 'G':
		return appendPadded(dst, isoYear, 4, '0')
	case 'H':
		return appendPadded(dst, t.Hour(), 2, '0')
	case 'I':
		return appendPadded(dst, hour12, 2, '0')
	case 'j':
		return appendPadded(dst, t.YearDay(), 3, '0')
	case 'k':
		return appendPadded(dst, t.Hour(), 2, ' ')
	case 'l':
		return appendPadded(dst, hour12, 2, ' ')
	case 'm':
		return appendPadded(dst, int(t.Month()), 2, '0')
	case 'M':
		return appendPadded(dst, t.Minute(), 2, '0')
	case 'n':
		return append(dst, '\n')
	case 'p':
		return t.AppendFormat(dst, "PM")
	case 'P':
		return t.AppendFormat(dst, "pm")
	case 'r':
		return t.AppendFormat(dst, "03:04:05 PM")
	case 'R':
		return t.AppendFormat(dst, "15:04")
	case 's':
		return appendPadded(dst, int(t.Unix()), 1, '0')
	case 'S':
		return appendPadded(dst, t.Second(), 2, '0')
	case 't':
		return append(dst, '\t')
	case 'T', 'X':
		return t.AppendFormat(dst, "15:04:05")
	case 'u':
		return appendPadded(dst, (int(t.Weekday())+6)%7+1, 1, '0')
	case 'U': // weeks begin on Sunday
		return appendPadded(dst, (t.YearDay()+6-int(t.Weekday()))/7, 2, '0')
	case 'V':
		return appendPadded(dst, isoWeek, 2, '0')
	case 'w':
		return appendPadded(dst, int(t.Weekday()), 1, '0')
	case 'W': // weeks begin on Monday
		return appendPadded(dst, (t.YearDay()+6-(int(t.Weekday())+6)%7)/7, 2, '0')
	case 'y':
		return appendPadded(dst, t.Year()%100, 2, '0')
	case 'Y':
		return appendPadded(dst, t.Year(), 1, '0')
	case 'z':
		return t.AppendFormat(dst, "-0700")
	case 'Z':
		name, _ := t.Zone()
		return append(dst, name...)
	case '%':
		return append(dst, '%')
	}
	return append(dst, '%', conv)
}

func appendPadded(dst []byte, n, width int, pad byte) []byte {
	var digits [20]byte
	i := len(digits)
	negative := n < 0
	if negative {
		n = -n
	}
	for ; n > 0 || i == len(digits); n /= 10 {
		i--
		digits[i] = byte('0' + n%10)
	}
	for len(digits)-i < width {
		i--
		digits[i] = pad
	}
	if negative {
		i--
		digits[i] = '-'
	}
	return appendFit(dst, digits[i:]...)
}
