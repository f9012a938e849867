package logfmt

import "time"

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// DateCache holds the last second that was written: lines come in the order of
// time, many in each second. The zero value is ready; a nil one caches nothing. It
// belongs to one goroutine.
type DateCache struct {
	second int64
	zone   *time.Location
	text   [20]byte // 06/Feb/2009:12:14:14
}

// append appends t as 06/Feb/2009:12:14:14.655, in t's zone.
func (c *DateCache) append(dst []byte, t time.Time) []byte {
	switch {
	case c == nil:
		dst = appendCLF(dst, t)
	case c.zone == t.Location() && c.second == t.Unix():
		dst = append(dst, c.text[:]...)
	default:
		n := len(dst)
		dst = appendCLF(dst, t)
		c.second, c.zone = t.Unix(), t.Location()
		copy(c.text[:], dst[n:])
	}
	dst = append(dst, '.')
	return appendDigits(dst, t.Nanosecond()/1e6, 3)
}

// appendCLF appends t as 06/Feb/2009:12:14:14.
func appendCLF(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	dst = appendDigits(dst, day, 2)
	dst = append(dst, '/')
	dst = append(dst, months[3*month-3:3*month]...)
	dst = append(dst, '/')
	dst = appendDigits(dst, year, 4)
	dst = append(dst, ':')
	return appendClock(dst, t)
}

// appendSyslogDate appends t as RFC 3164 has it: Feb  6 12:14:14.
func appendSyslogDate(dst []byte, t time.Time) []byte {
	_, month, day := t.Date()
	dst = append(dst, months[3*month-3:3*month]...)
	dst = append(dst, ' ')
	if day < 10 {
		dst = append(dst, ' ')
		dst = appendDigits(dst, day, 1)
	} else {
		dst = appendDigits(dst, day, 2)
	}
	dst = append(dst, ' ')
	return appendClock(dst, t)
}

// appendISO appends t as 2009-02-06T12:14:14.655123+01:00; UTC is +00:00.
func appendISO(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	dst = appendDigits(dst, year, 4)
	dst = append(dst, '-')
	dst = appendDigits(dst, int(month), 2)
	dst = append(dst, '-')
	dst = appendDigits(dst, day, 2)
	dst = append(dst, 'T')
	dst = appendClock(dst, t)
	dst = append(dst, '.')
	dst = appendDigits(dst, t.Nanosecond()/1e3, 6)
	_, offset := t.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = append(dst, sign)
	dst = appendDigits(dst, offset/3600, 2)
	dst = append(dst, ':')
	return appendDigits(dst, offset/60%60, 2)
}

func appendClock(dst []byte, t time.Time) []byte {
	hour, minute, second := t.Clock()
	dst = appendDigits(dst, hour, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, minute, 2)
	dst = append(dst, ':')
	return appendDigits(dst, second, 2)
}

// appendDigits appends the last width digits of n.
func appendDigits(dst []byte, n, width int) []byte {
	dst = append(dst, "000000"[:width]...)
	for i := range width {
		dst[len(dst)-1-i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}
