package proxy

import (
	"bytes"
	"net/netip"
	"unsafe"

	"baton/internal/mono"
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/logfmt"
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/spec"
)

// verdict is what a rule makes of the rules behind it.
type verdict uint8

const (
	goOn     verdict = iota
	endRules         // allow
	answered         // the exchange is over
)

// obey is act, which remembers the rule that ends an evaluation.
func (s *httpSession) obey(t *engine.Task, r *httpRule, c *sample.Ctx, response bool, denied *Counters) verdict {
	v := s.act(t, r, c, response, denied)
	if v != goOn {
		s.x.lastRule = &r.HTTPRule
	}
	return v
}

// act runs one rule whose condition holds. c is what expressions look at; response
// says whose rule it is.
func (s *httpSession) act(t *engine.Task, r *httpRule, c *sample.Ctx, response bool, denied *Counters) verdict {
	x := s.x
	end := termination{'P', 'R'}
	if response {
		end.phase = 'H'
	}
	switch r.Action {
	case spec.ActionAllow, spec.ActionSwitchMode: // it is HTTP already
		return endRules
	case spec.ActionSetVar, spec.ActionUnsetVar:
		s.setVar(r, c)
	case spec.ActionCapture:
		s.captureSample(r, c, response)
	case spec.ActionSetLogLevel:
		x.logLevel = r.Level
	case spec.ActionDoLog:
		s.log(t.Now(), r.Origin, r.Profile, c)
	case spec.ActionDisableRetry:
		x.noRetry = true
	case spec.ActionSetSrc, spec.ActionSetSrcPort, spec.ActionSetDst, spec.ActionSetDstPort:
		s.setAddress(r, c)
	case spec.ActionDeny:
		denied.Denied.Add(1)
		s.finishWith(t, r, end, response)
		return answered
	case spec.ActionTarpit:
		denied.Denied.Add(1)
		for until := after(t.Now(), orTimeout(s.x.link.limits.tarpit, s.fe.Spec.Timeouts.Tarpit)); until != mono.Never && t.Now() < until; {
			t.Suspend(until)
		}
		x.link.assigned = t.Now() // see times
		s.finishWith(t, r, termination{'P', 'T'}, response)
		return answered
	case spec.ActionReturn:
		end.who = 'L'
		s.finishWith(t, r, end, response)
		return answered
	case spec.ActionReject, spec.ActionSilentDrop:
		denied.Denied.Add(1)
		x.link.closeConn()
		x.keep, x.end, x.parsed = false, end, 0
		if r.Action == spec.ActionSilentDrop {
			s.cut = true
			vanish(s.client, r.Number)
		}
		return answered
	case spec.ActionAuth:
		end.who = 'L'
		s.challenge(t, r, end)
		return answered
	case spec.ActionRedirect:
		return s.redirectBy(t, r, c, response)
	case spec.ActionWaitForBody:
		if response && !s.waitForAnswer(t, r.Time, r.Len) || !response && !s.waitForBody(t, r.Time, r.Len) {
			return answered
		}
	case spec.ActionSetMap, spec.ActionDelMap, spec.ActionAddACL:
		s.changeList(t, r, c)
	case spec.ActionSetMark, spec.ActionSetTOS:
		if n, ok := number(&r.HTTPRule, c); ok {
			markPackets(r.Action, n, s.client)
		}
	case spec.ActionSetTimeout:
		s.setTimeout(r, c)
	case spec.ActionPause:
		s.pause(t, span(&r.HTTPRule, c))
	case spec.ActionStrict, spec.ActionLenient:
		x.lenient = r.Action == spec.ActionLenient
	case spec.ActionDoResolve:
		a := s.w.lookUp(t, &r.HTTPRule, c)
		keepAddr(&r.HTTPRule, s.ctx(), a) // others have used c meanwhile
	case spec.ActionEarlyHint:
		return s.hint(t, r, c)
	default:
		if !x.link.shape(&r.HTTPRule, c) {
			return s.rewrite(t, r, c, response)
		}
	}
	return goOn
}

// setVar runs set-var, set-var-fmt and unset-var. A value that is absent leaves the
// variable as it is.
func (s *httpSession) setVar(r *httpRule, c *sample.Ctx) {
	switch {
	case r.Action == spec.ActionUnsetVar:
		c.UnsetVar(r.Var)
	case r.Expr == nil:
		v := sample.Sample{Type: sample.Str, B: s.text(r, c)}
		c.SetVarIf(r.Var, r.VarConds, &v)
	default:
		if v, ok := r.Expr.Eval(c); ok {
			c.SetVarIf(r.Var, r.VarConds, v)
		}
	}
}

// text is the value that a rule writes; it is valid until the next one.
func (s *httpSession) text(r *httpRule, c *sample.Ctx) []byte {
	if r.Format == nil {
		s.w.value = append(s.w.value[:0], r.Value...)
		return s.w.value
	}
	s.w.value = s.format(s.w.value[:0], r.Format, c)
	return s.w.value
}

// format appends what a format makes of the exchange as it stands.
func (s *httpSession) format(dst []byte, f *logfmt.Format, c *sample.Ctx) []byte {
	rec := &s.w.rec
	if !f.OnlySamples() {
		rec = s.record(s.w.Loop.Now())
	}
	rec.Sample = c
	return f.Append(dst, rec)
}

// captureSample keeps a sample in a slot of the frontend's, for the log.
func (s *httpSession) captureSample(r *httpRule, c *sample.Ctx, response bool) {
	slots := s.x.captures.request
	if response {
		slots = s.x.captures.response
	}
	if v, ok := r.Expr.Eval(c); ok && r.Slot < len(slots) {
		slots[r.Slot] = s.x.captures.keep(c.AsText(v), r.Len)
	}
}

// setAddress changes an address as this exchange sees it; what is no address changes
// nothing.
func (s *httpSession) setAddress(r *httpRule, c *sample.Ctx) {
	at := &s.src
	if r.Action == spec.ActionSetDst || r.Action == spec.ActionSetDstPort {
		s.x.dst = s.dst()
		at = &s.x.dst
	}
	*at = changed(&r.HTTPRule, c, *at)
}

// dst is the address that the client connected to, as rules left it.
func (s *httpSession) dst() netip.AddrPort {
	if s.x != nil && s.x.dst.IsValid() {
		return s.x.dst
	}
	return s.client.LocalAddr()
}

// finishWith answers in the place of the server, with the rule's reply or the page of
// its status.
func (s *httpSession) finishWith(t *engine.Task, r *httpRule, end termination, response bool) {
	if response {
		s.x.link.closeConn()
		s.x.responded = 0 // the log knows of no response of the server
	}
	if r.Reply == nil {
		s.reply(t, r.Status, end)
		return
	}
	s.send(t, r.Reply, end)
}

// send answers with a reply of the configuration.
func (s *httpSession) send(t *engine.Task, r *spec.Reply, end termination) {
	x := s.x
	x.status, x.end = r.Status, end
	switch {
	case r.Page != nil:
		s.sendPage(t, r.Page)
		return
	case !r.Parts:
		s.reply(t, r.Status, end)
		return
	}
	c := s.ctx()
	out := t.Loop().Get()
	defer t.Loop().Put(out)
	b := append(out.B[:0], "HTTP/1.1 "...)
	b = appendInt(b, r.Status)
	b = append(b, ' ')
	b = append(b, http1.StatusText(r.Status)...)
	b = append(b, "\r\n"...)
	for i := range r.Headers {
		b = append(b, r.Headers[i].Name...)
		b = append(b, ": "...)
		b = s.format(b, r.Headers[i].Format, c)
		b = append(b, "\r\n"...)
	}
	body := unsafe.Slice(unsafe.StringData(r.Text), len(r.Text))
	if r.Format != nil {
		s.w.value = s.format(s.w.value[:0], r.Format, c)
		body = s.w.value
	}
	if r.Status != 204 && r.Status != 304 {
		b = append(b, "content-length: "...)
		b = appendInt(b, len(body))
		b = append(b, "\r\n"...)
	}
	if r.Type != "" {
		b = append(b, "content-type: "...)
		b = append(b, r.Type...)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	if len(b)+len(body) > maxHead {
		s.reply(t, 500, end)
		return
	}
	s.answer(t, append(b, body...))
}

// challenge asks the client who it is (RFC 7617).
func (s *httpSession) challenge(t *engine.Task, r *httpRule, end termination) {
	status, header := 401, "www-authenticate"
	if s.asksProxy() {
		status, header = 407, "proxy-authenticate"
	}
	s.x.status, s.x.end = status, end
	realm := r.Value
	if realm == "" {
		realm = s.fe.Spec.Name
	}
	out := t.Loop().Get()
	b := http1.AppendError(out.B[:0], status)
	at := http1.HeadLength(b) - 2
	body := append(s.w.value[:0], b[at:]...)
	s.w.value = body
	b = append(append(b[:at], header...), ": Basic realm=\""...)
	b = append(b, realm...)
	b = append(b, "\"\r\n"...)
	s.answer(t, append(b, body...))
	t.Loop().Put(out)
}

// rewrite runs the actions that change a message's head.
func (s *httpSession) rewrite(t *engine.Task, r *httpRule, c *sample.Ctx, response bool) verdict {
	x := s.x
	e, m, b := &x.edits, &x.req, s.inBytes()
	if response {
		e, m, b = &x.resEdits, x.res, x.down.buf.B[:]
	}
	switch r.Action {
	case spec.ActionAddHeader, spec.ActionSetHeader, spec.ActionDelHeader:
		line := &r.header
		if r.Format != nil {
			line = e.line(r.header.Name, s.text(r, c))
		}
		if x.lenient && r.Action != spec.ActionDelHeader && e.size(m)+len(line.Name)+len(line.Value) > maxHead {
			return goOn
		}
		e.apply(r, line, m, b)
		return goOn
	}
	if response {
		return s.rebuildResponse(t, r, c)
	}
	return s.rebuild(t, r, c)
}

// startLine is the request's first line as a rule leaves it, without CRLF; nil: as it was.
// It reports false when a strict normalizer refuses the target.
func (s *httpSession) startLine(r *httpRule, c *sample.Ctx) (_ []byte, ok bool) {
	m, b := &s.x.req, s.inBytes()
	target, method := m.Target.Of(b), m.MethodSpan.Of(b)
	prefix, path, query := b[:0], target, b[:0] // of the target: what stands before the path, the path, ?query
	if m.Path.Len > 0 {
		prefix, path = b[m.Target.Off:m.Path.Off], m.Path.Of(b)
		query = b[m.Path.Off+m.Path.Len : m.Target.Off+m.Target.Len]
	}
	pathq := target[len(prefix):]
	value := pathq // of a normalizer
	if r.Action != spec.ActionNormalizeURI {
		value = s.text(r, c)
	}
	line := append(s.w.head[:0], method...)
	if r.Action == spec.ActionSetMethod {
		line = append(s.w.head[:0], value...)
	}
	line = append(line, ' ')
	switch r.Action {
	case spec.ActionSetMethod:
		line = append(line, target...)
	case spec.ActionSetPath:
		line = append(append(append(line, prefix...), value...), query...)
	case spec.ActionSetPathQ:
		line = append(append(line, prefix...), value...)
	case spec.ActionSetQuery:
		line = append(append(append(append(line, prefix...), path...), '?'), value...)
	case spec.ActionSetURI:
		line = append(line, value...)
	case spec.ActionReplacePath:
		line = append(r.replaced(append(line, prefix...), path, value), query...)
	case spec.ActionReplacePathQ:
		line = r.replaced(append(line, prefix...), pathq, value)
	case spec.ActionReplaceURI:
		line = r.replaced(line, target, value)
	case spec.ActionNormalizeURI:
		if line, ok = r.Normalizer.Append(append(line, prefix...), value); !ok {
			return nil, false
		}
	default:
		return nil, true
	}
	line = append(line, " HTTP/1."...)
	line = append(line, '0'+m.Minor)
	s.w.head = line
	return line, true
}

// statusLine is the response's.
func (s *httpSession) statusLine(r *httpRule, b []byte) []byte {
	if r.Action != spec.ActionSetStatus {
		return nil
	}
	line := append(s.w.head[:0], b[:len("HTTP/1.1 ")]...)
	line = appendInt(line, r.Status)
	line = append(line, ' ')
	s.w.head = append(line, r.Value...)
	return s.w.head
}

// replaced appends v with what the rule's expression matches in it, all of it, written
// anew by text; v itself where nothing matches.
func (r *httpRule) replaced(dst, v, text []byte) []byte {
	match := r.Regexp.FindSubmatchIndex(v)
	if match == nil {
		return append(dst, v...)
	}
	return sample.ExpandBackrefs(dst, text, v, match)
}

// values appends a header's value as replace-header and replace-value leave it.
func (r *httpRule) values(dst, v, text []byte) []byte {
	if r.Action == spec.ActionReplaceHeader {
		return r.replaced(dst, v, text)
	}
	for first := true; len(v) > 0 || first; first = false {
		one, rest, more := cutValue(v)
		core := bytes.Trim(one, " \t")
		if r.Regexp.Match(core) {
			dst = r.replaced(dst, core, text) // as in HAProxy, without the blanks around it
		} else {
			dst = append(dst, one...)
		}
		if more {
			dst = append(dst, ',')
		}
		v = rest
	}
	return dst
}

// cutValue cuts the first of several comma-separated values off; commas in quotes do
// not separate.
func cutValue(v []byte) (one, rest []byte, more bool) {
	quoted := false
	for i := 0; i < len(v); i++ {
		switch {
		case v[i] == '"':
			quoted = !quoted
		case v[i] == '\\' && quoted:
			i++
		case v[i] == ',' && !quoted:
			return v[:i], v[i+1:], true
		}
	}
	return v, nil, false
}

// appendRewritten writes a head as a rule leaves it, with its empty line. start is its
// first line, nil: as it was.
func appendRewritten(dst, b []byte, m *http1.Message, start []byte, r *httpRule, text []byte) []byte {
	if start == nil {
		dst = m.AppendStart(dst, b)
	} else {
		dst = append(append(dst, start...), "\r\n"...)
	}
	for i := range m.Fields[:m.N] {
		f := &m.Fields[i]
		if f.Known == http1.Removed {
			continue
		}
		name := len(dst)
		dst = append(dst, f.Name.Of(b)...)
		lower(dst[name:])
		replace := r.Regexp != nil && start == nil && string(dst[name:]) == r.header.Name
		dst = append(dst, ": "...)
		if replace {
			dst = r.values(dst, f.Value.Of(b), text)
		} else {
			dst = append(dst, f.Value.Of(b)...)
		}
		dst = append(dst, "\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// rebuild writes the request's head anew. What the client sent has to stay framed as it
// is: a rule that would change that, or makes a head that is none, is answered with 500.
func (s *httpSession) rebuild(t *engine.Task, r *httpRule, c *sample.Ctx) verdict {
	x := s.x
	if r.Action == spec.ActionNormalizeURI && x.req.Path.Len == 0 {
		return goOn // `*`, an authority, or one without a path
	}
	start, ok := s.startLine(r, c)
	if !ok {
		x.keep = false
		s.reply(t, 400, termination{'P', 'R'})
		x.parsed = 0 // as in HAProxy's log, it was no request
		return answered
	}
	var text []byte
	if start == nil {
		text = s.text(r, c)
	}
	next := t.Loop().Get()
	head := appendRewritten(next.B[:0], s.inBytes(), &x.req, start, r, text)
	if !s.adopt(t, next, head) {
		return answered
	}
	return goOn
}

// adopt makes next, which begins with head, the request's buffer.
func (s *httpSession) adopt(t *engine.Task, next *engine.Buffer, head []byte) bool {
	x := s.x
	rest := s.in.B[x.req.HeadLen:s.n]
	fits := len(head) <= maxHead && len(head)+len(rest) <= engine.BufferSize
	if x.lenient && !(fits && s.sound(head, &x.req)) {
		t.Loop().Put(next)
		return true
	}
	if !fits {
		t.Loop().Put(next)
		s.reply(t, 500, termination{'P', 'R'})
		return false
	}
	framing, length, expect, told := x.req.Framing, x.req.ContentLength, x.req.Expect100, x.told
	if len(x.asked) == 0 {
		x.asked = append(x.asked, s.requestLine()...)
	}
	s.n = len(head) + copy(next.B[len(head):], rest)
	t.Loop().Put(s.in)
	s.in = next
	x.edits.reset()
	x.req.Reset()
	if x.req.ParseRequest(s.in.B[:s.n]) != http1.Done || x.req.Framing != framing || x.req.ContentLength != length {
		x.keep = false
		x.bad = x.req.HeadLen == 0
		s.reply(t, 500, termination{'P', 'R'})
		return false
	}
	x.req.Expect100 = expect && !told
	return true
}

// sound reports whether a head that a rule has made can take the place of m's, which is
// asked where nothing may fail (strict-mode off).
func (s *httpSession) sound(head []byte, m *http1.Message) bool {
	trial := s.w.getResponse()
	trial.Reset()
	trial.OldBodies, trial.Lenient = m.OldBodies, m.Lenient
	var state http1.State
	if m == &s.x.req {
		state = trial.ParseRequest(head)
	} else {
		state = trial.ParseResponse(head, s.x.req.Method)
	}
	ok := state == http1.Done && trial.HeadLen == len(head) && (m != &s.x.req || trial.Framing == m.Framing && trial.ContentLength == m.ContentLength)
	trial.Reset()
	s.w.responses = append(s.w.responses, trial)
	return ok
}

// rebuildResponse is rebuild for the server's response.
func (s *httpSession) rebuildResponse(t *engine.Task, r *httpRule, c *sample.Ctx) verdict {
	x := s.x
	old := x.down.buf
	start := s.statusLine(r, old.B[:])
	var text []byte
	if start == nil {
		text = s.text(r, c)
	}
	next := t.Loop().Get()
	head := appendRewritten(next.B[:0], old.B[:], x.res, start, r, text)
	rest := old.B[x.down.r : x.down.w+x.down.extra]
	body := x.down.w - x.down.r
	framing, length, keep := x.res.Framing, x.res.ContentLength, x.res.KeepAlive
	fits := len(head)+len(rest) <= engine.BufferSize
	if x.lenient && !(fits && s.sound(head, x.res)) {
		t.Loop().Put(next)
		return goOn
	}
	if fits {
		copy(next.B[len(head):], rest)
		x.res.Reset()
		if x.res.ParseResponse(next.B[:len(head)+len(rest)], x.req.Method) == http1.Done && x.res.HeadLen == len(head) {
			// The body stays what it was, whatever the new status says of bodies.
			x.res.Framing, x.res.ContentLength, x.res.KeepAlive = framing, length, keep
			t.Loop().Put(old)
			x.down.buf, x.down.r, x.down.w = next, len(head), len(head)+body
			x.status = x.res.Status
			return goOn
		}
	}
	t.Loop().Put(next)
	x.link.closeConn()
	s.reply(t, 500, termination{'P', 'H'})
	return answered
}

// names reports whether a del-header rule means a header of this name (in lower case).
func (r *httpRule) names(name []byte) bool {
	want := r.header.Name
	switch r.Names {
	case pattern.Beg:
		return bytes.HasPrefix(name, unsafe.Slice(unsafe.StringData(want), len(want)))
	case pattern.End:
		return bytes.HasSuffix(name, unsafe.Slice(unsafe.StringData(want), len(want)))
	case pattern.Sub:
		return bytes.Contains(name, unsafe.Slice(unsafe.StringData(want), len(want)))
	case pattern.Reg:
		return r.Regexp.Match(name)
	}
	return string(name) == want
}
