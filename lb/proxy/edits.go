package proxy

import (
	"slices"
	"strings"
	"unsafe"

	"baton/lb/http1"
	"baton/lb/rules"
	"baton/lb/sample"
	"baton/lb/spec"
)

// edits are the header changes that rules made to one message: fields struck out
// of the Message itself, and lines to append.
type edits struct {
	added []*sample.Line

	own   []*sample.Line // lines made for this message alone; own[:used] are in use
	used  int
	text  []byte // their values
	lower []byte // room for a name while rules look at it
}

// line makes a line for this message alone, from a value that need not stay.
func (e *edits) line(name string, value []byte) *sample.Line {
	if e.used == len(e.own) {
		e.own = append(e.own, new(sample.Line))
	}
	l := e.own[e.used]
	e.used++
	start := len(e.text)
	e.text = append(e.text, value...) // when it grows, earlier values stay where they are
	l.Name, l.Value = name, unsafe.String(unsafe.SliceData(e.text[start:]), len(value))
	return l
}

// apply makes the change of one rule; line is what it appends.
func (e *edits) apply(r *httpRule, line *sample.Line, m *http1.Message, b []byte) {
	if r.Action != spec.ActionAddHeader {
		for i := range m.Fields[:m.N] {
			if f := &m.Fields[i]; f.Known != http1.Removed && e.means(r, f.Name.Of(b)) {
				f.Known = http1.Removed
			}
		}
		kept := e.added[:0]
		for _, h := range e.added {
			if !r.names(unsafe.Slice(unsafe.StringData(h.Name), len(h.Name))) {
				kept = append(kept, h)
			}
		}
		e.added = kept
	}
	if r.Action != spec.ActionDelHeader {
		e.added = append(e.added, line)
	}
}

// means is names for a header as it came, whatever its case.
func (e *edits) means(r *httpRule, name []byte) bool {
	if r.Names == 0 && len(name) != len(r.header.Name) {
		return false
	}
	e.lower = appendLower(e.lower[:0], name)
	return r.names(e.lower)
}

func appendLower(dst, b []byte) []byte {
	start := len(dst)
	dst = append(dst, b...)
	lower(dst[start:])
	return dst
}

// has reports whether the message has a field called name (lower case) after the edits.
func (e *edits) has(m *http1.Message, b []byte, name string) bool {
	return m.Find(b, name, 0) >= 0 || slices.ContainsFunc(e.added, func(h *sample.Line) bool { return h.Name == name })
}

// appendHead writes the head as the rules left it, without its empty line.
func (e *edits) appendHead(dst, b []byte, m *http1.Message, drop http1.Set) []byte {
	dst = m.AppendHead(dst, b, drop)
	for _, h := range e.added {
		dst = append(dst, h.Name...)
		dst = append(dst, ": "...)
		dst = append(dst, h.Value...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// size is how long the head is at most with the lines that are to be appended.
func (e *edits) size(m *http1.Message) int {
	n := m.HeadLen
	for _, h := range e.added {
		n += len(h.Name) + len(h.Value) + len(": \r\n")
	}
	return n
}

func (e *edits) reset() { e.added, e.used, e.text = e.added[:0], 0, e.text[:0] }

// hopByHop is what is left away from a forwarded head; an upgrade that is passed on keeps
// its Upgrade field.
func hopByHop(m *http1.Message) http1.Set {
	if m.ConnUpgrade && (m.Status == 0 || m.Status == 101) {
		return http1.HopByHop &^ (1 << http1.Upgrade)
	}
	return http1.HopByHop
}

// newRule compiles one line.
func newRule(r spec.HTTPRule) httpRule {
	return httpRule{HTTPRule: r, header: sample.Line{Name: strings.ToLower(r.Name), Value: r.Value}, cond: compile(r.Cond), judge: rules.Judge(r.Cond)}
}
