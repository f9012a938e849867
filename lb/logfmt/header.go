package logfmt

import (
	"strconv"
	"time"
)

// Framing is the `format` of a log target: what stands before the line.
type Framing uint8

// The framings.
const (
	Local    Framing = iota // <134>Feb  6 12:14:14 haproxy[14389]: ; the default
	RFC3164                 // <134>Feb  6 12:14:14 host haproxy[14389]:
	RFC5424                 // <134>1 2009-02-06T12:14:14.655123+01:00 host haproxy 14389 - -
	Priority                // <134>
	Short                   // <6>
	Timed                   // <6>2009-02-06T12:14:14.655123+01:00
	ISO                     // 2009-02-06T12:14:14.655123+01:00
	Raw                     // nothing
)

// FramingOf returns the framing called name; "" is local.
func FramingOf(name string) (Framing, bool) {
	switch name {
	case "", "local":
		return Local, true
	case "rfc3164":
		return RFC3164, true
	case "rfc5424":
		return RFC5424, true
	case "priority":
		return Priority, true
	case "short":
		return Short, true
	case "timed":
		return Timed, true
	case "iso":
		return ISO, true
	case "raw":
		return Raw, true
	}
	return 0, false
}

// Header is what a framing is made of.
type Header struct {
	Facility int // 0..23
	Level    int // 0 emerg .. 7 debug
	Time     time.Time
	Host     string // log-send-hostname; "" as HAProxy writes it without: localhost (RFC 3164) or - (RFC 5424)
	Tag      string // process name
	PID      int
	SD       []byte // RFC 5424: structured data; nil: -
}

// AppendHeader appends a framing's text, up to where the line begins.
func AppendHeader(dst []byte, f Framing, h *Header) []byte {
	switch f {
	case Local:
		dst = appendPriority(dst, h.Facility<<3|h.Level)
		dst = appendSyslogDate(dst, h.Time)
		return appendProcess(append(dst, ' '), h)
	case RFC3164:
		dst = appendPriority(dst, h.Facility<<3|h.Level)
		dst = appendSyslogDate(dst, h.Time)
		dst = append(dst, ' ')
		dst = appendOr(dst, h.Host, "localhost")
		return appendProcess(append(dst, ' '), h)
	case RFC5424:
		dst = appendPriority(dst, h.Facility<<3|h.Level)
		dst = append(dst, "1 "...)
		dst = appendISO(dst, h.Time)
		dst = append(dst, ' ')
		dst = appendOr(dst, h.Host, "-")
		dst = append(dst, ' ')
		dst = appendOr(dst, h.Tag, "-")
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, int64(h.PID), 10)
		if len(h.SD) > 0 {
			dst = append(append(dst, " - "...), h.SD...)
			return append(dst, ' ')
		}
		return append(dst, " - - "...)
	case Priority:
		return appendPriority(dst, h.Facility<<3|h.Level)
	case Short:
		return appendPriority(dst, h.Level)
	case Timed:
		dst = appendPriority(dst, h.Level)
		return append(appendISO(dst, h.Time), ' ')
	case ISO:
		return append(appendISO(dst, h.Time), ' ')
	}
	return dst
}

func appendPriority(dst []byte, p int) []byte {
	dst = append(dst, '<')
	dst = strconv.AppendInt(dst, int64(p), 10)
	return append(dst, '>')
}

func appendProcess(dst []byte, h *Header) []byte {
	dst = append(dst, h.Tag...)
	dst = append(dst, '[')
	dst = strconv.AppendInt(dst, int64(h.PID), 10)
	return append(dst, "]: "...)
}

func appendOr(dst []byte, s, otherwise string) []byte {
	if s == "" {
		s = otherwise
	}
	return append(dst, s...)
}
