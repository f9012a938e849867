package proxy

import (
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/logfmt"
	"baton/lb/rules"
	"baton/lb/sample"
	"baton/lb/spec"
)

// httpRule is one http-request, http-response or redirect line.
type httpRule struct {
	spec.HTTPRule
	header sample.Line                     // of the header actions
	cond   rules.Cond                      // nil: always
	judge  func(*sample.Ctx) rules.Verdict // cond, of tcp-request content rules
	ends   bool                            // of early-hint: the 103 response is complete with it
}

// plain tells whether the rule needs nothing of the head as earlier rules left it.
func (r *httpRule) plain() bool {
	switch r.Action {
	case spec.ActionAddHeader, spec.ActionSetHeader, spec.ActionDelHeader:
		return r.cond == nil && r.Format == nil
	case spec.ActionAllow, spec.ActionDeny, spec.ActionReject, spec.ActionSilentDrop, spec.ActionSetLogLevel:
		return r.cond == nil && r.Reply == nil
	}
	return false
}

// leavesFacts tells whether the rule changes nothing that ctx and resCtx have copied, and
// lets nobody else make another one.
func (r *httpRule) leavesFacts(response bool) bool {
	switch r.Action {
	case spec.ActionAddHeader, spec.ActionSetHeader, spec.ActionDelHeader:
		return !response // where resCtx has the lines that were added
	case spec.ActionSetVar, spec.ActionUnsetVar, spec.ActionSetLogLevel:
		return true // the variables themselves are not copied
	}
	return false
}

// backendSwitch is one use_backend line.
type backendSwitch struct {
	cond   rules.Cond // nil: always
	to     *Backend
	format *logfmt.Format // makes the name of the backend; nil: to is it
}

func compile(c *spec.Cond) rules.Cond {
	if c == nil {
		return nil
	}
	return rules.Compile(c)
}

// ctx is what expressions look at in this exchange. It is the worker's one and only:
// they do not suspend.
func (s *httpSession) ctx() *sample.Ctx {
	c, x := &s.w.ctx, s.x
	in := s.in.B[:s.n]
	s.facts(c)
	c.Req = sample.Message{Head: &x.req, Buf: in}
	if x.req.Framing != http1.NoBody {
		c.Req.Body, c.Req.Size = in[x.req.HeadLen:x.req.HeadLen+x.bodyIn], x.req.ContentLength
	}
	return c
}

// facts are what all expressions of an exchange look at.
func (s *httpSession) facts(c *sample.Ctx) {
	x := s.x
	c.Session, c.Auth = s, &x.auth
	s.came.describe(&c.Client, s.src, s.client)
	c.Client.HTTPMajor = 1
	if x.dst.IsValid() {
		c.Client.Dst = x.dst
	}
	c.Res = sample.Message{}
	c.Server = sample.Conn{}
	c.ReqCaps, c.ResCaps = x.captures.request, x.captures.response
	if c.UniqueID = nil; len(x.uniqueID) > 0 {
		c.UniqueID = x.uniqueID
	}
	c.Frontend, c.Backend, c.Target = &s.fe.facts, nil, nil
	if x.backend != nil {
		c.Backend = &x.backend.facts
	}
	c.FirstRequest, c.ForProxy = s.served == 0, s.asksProxy()
	c.In = sample.Channel{End: true} // a request has no raw bytes
	c.Vars = [...]*sample.Vars{sample.ScopeSess: &s.vars, sample.ScopeTxn: &x.txnVars, sample.ScopeReq: &x.reqVars, sample.ScopeCheck: nil}
}

// asksProxy reports whether the request names a host that a proxy is to reach, where
// that counts (option http-use-proxy-header).
func (s *httpSession) asksProxy() bool {
	if !s.fe.Spec.HTTP.ProxyHeader || s.x.bad || s.x.req.Target.Len == 0 {
		return false
	}
	c := s.in.B[s.x.req.Target.Off]
	return c != '/' && c != '*'
}

// resCtx is ctx while the response is processed.
func (s *httpSession) resCtx() *sample.Ctx {
	c, x := s.ctx(), s.x
	buf := x.down.buf.B[:]
	c.Res = sample.Message{Head: x.res, Buf: buf, Added: x.resEdits.added, Status: x.res.Status}
	switch x.res.Framing {
	case http1.Length, http1.Chunked, http1.UntilClose:
		c.Res.Body, c.Res.Size = buf[x.down.r:x.down.w], x.res.ContentLength
	}
	if x.link.conn != nil {
		c.Server = sample.Conn{Src: x.link.conn.LocalAddr(), Dst: x.link.site.addr, HTTPMajor: 1}
	}
	if x.link.server != nil {
		c.Target = &x.link.server.facts
	}
	c.Vars[sample.ScopeReq], c.Vars[sample.ScopeRes] = nil, &x.resVars
	return c
}

// route follows use_backend, the first match wins, then default_backend. A name that is
// made of samples and leads nowhere ends the search: default_backend serves then, as the
// manual has it.
func (w *Worker) route(fe *Frontend, ctx *sample.Ctx) *Backend {
	for i := range fe.switches {
		sw := &fe.switches[i]
		if sw.cond != nil && !sw.cond(ctx) {
			continue
		}
		if sw.format == nil {
			return sw.to
		}
		w.rec.Sample = ctx
		w.value = sw.format.Append(w.value[:0], &w.rec)
		if b := w.set.byName[string(w.value)]; b != nil {
			return b
		}
		break
	}
	return fe.Default
}

// applyRequestRules runs http-request rules and then redirects. It reports false
// when a rule has answered the request.
func (s *httpSession) applyRequestRules(t *engine.Task, request, redirects []httpRule, denied *Counters) bool {
	s.x.lenient = false // strict-mode holds for the rules behind it in one proxy
	var c *sample.Ctx   // nil: to be made
	for i := range request {
		r := &request[i]
		if !r.plain() && len(s.x.edits.added) > 0 {
			if c = nil; !s.settle(t) {
				return false
			}
		}
		var holds bool
		if c, holds = s.judge(t, r.cond, c); !holds {
			continue
		}
		if s.w.set.userlists {
			s.prepare(t, r)
			c = s.ctx()
		}
		switch s.obey(t, r, c, false, denied) {
		case answered:
			return false
		case endRules:
			return s.applyRedirects(t, redirects)
		}
		if !r.leavesFacts(false) {
			c = nil
		}
	}
	return s.applyRedirects(t, redirects)
}

func (s *httpSession) applyRedirects(t *engine.Task, redirects []httpRule) bool {
	for i := range redirects {
		r := &redirects[i]
		if !s.settle(t) {
			return false
		}
		if !s.holds(t, r.cond) {
			continue
		}
		if s.redirectBy(t, r, s.ctx(), false) == answered {
			return false
		}
	}
	return true
}

// settle writes pending edits into the head itself, because a condition is about to
// look at it: rules see what earlier rules did. It is rare and may cost a parse. It
// reports false when the head no longer fits and the request was refused.
func (s *httpSession) settle(t *engine.Task) bool {
	x := s.x
	if len(x.edits.added) == 0 {
		return true
	}
	next := t.Loop().Get()
	head := append(x.edits.appendHead(next.B[:0], s.in.B[:s.n], &x.req, 0), "\r\n"...)
	return s.adopt(t, next, head)
}

// applyResponseRules runs http-response rules. It reports false when a rule has put
// an answer from here in the place of the server's, whose connection is then closed.
func (s *httpSession) applyResponseRules(t *engine.Task, response []httpRule, denied *Counters) bool {
	s.x.lenient = false
	var c *sample.Ctx // nil: to be made
	for i := range response {
		r := &response[i]
		if c == nil {
			c = s.resCtx()
		}
		if r.cond != nil && !r.cond(c) {
			continue
		}
		switch s.obey(t, r, c, true, denied) {
		case answered:
			return false
		case endRules:
			return true
		}
		if !r.leavesFacts(true) {
			c = nil
		}
	}
	return true
}
