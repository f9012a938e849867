package proxy

import (
	"baton/lb/engine"
	"baton/lb/sample"
)

// hint adds a line to a 103 response (RFC 8297), which goes out with the last rule of its
// row. A client of HTTP/1.0 gets none: RFC 9110 section 15.2.
func (s *httpSession) hint(t *engine.Task, r *httpRule, c *sample.Ctx) verdict {
	x, w := s.x, s.w
	if x.req.Minor == 0 {
		return goOn
	}
	if !x.hinting {
		x.hinting = true
		w.hint = append(w.hint[:0], "HTTP/1.1 103 Early Hints\r\n"...)
	}
	w.hint = append(append(w.hint, r.header.Name...), ": "...)
	w.hint = append(append(w.hint, s.text(r, c)...), "\r\n"...)
	if !r.ends {
		return goOn
	}
	x.hinting = false
	out := t.Loop().Get()
	defer t.Loop().Put(out)
	msg := append(append(out.B[:0], w.hint...), "\r\n"...)
	if s.client.Write(t, msg, nil, after(t.Now(), s.clientTimeout())) != nil {
		s.fail(t, -1, termination{'C', 'R'})
		return answered
	}
	x.sent += int64(len(msg))
	return goOn
}
