package proxy

import (
	"slices"
	"strings"

	"baton/lb/http1"
	"baton/lb/sample"
	"baton/lb/spec"
)

// edits are the header changes that rules made to one message: fields struck out
// of the Message itself, and lines to append.
type edits struct{ added []*sample.Line }

// apply makes the change of one rule.
func (e *edits) apply(r *httpRule, m *http1.Message, b []byte) {
	if r.Action != spec.ActionAddHeader {
		for i := m.Find(b, r.header.Name, 0); i >= 0; i = m.Find(b, r.header.Name, i+1) {
			m.Fields[i].Known = http1.Removed
		}
		kept := e.added[:0]
		for _, h := range e.added {
			if h.Name != r.header.Name {
				kept = append(kept, h)
			}
		}
		e.added = kept
	}
	if r.Action != spec.ActionDelHeader {
		e.added = append(e.added, &r.header)
	}
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

func (e *edits) reset() { e.added = e.added[:0] }

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
	return httpRule{HTTPRule: r, header: sample.Line{Name: strings.ToLower(r.Name), Value: r.Value}, cond: compile(r.Cond)}
}
