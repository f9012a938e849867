package proxy

import (
	"io"
	"net/netip"

	"baton/internal/mono"
	"baton/lb/engine"
	"baton/lb/rules"
	"baton/lb/sample"
	"baton/lb/spec"
)

// tcpRule is one tcp-request or tcp-response line. Those on contents may have to wait for bytes.
type tcpRule struct {
	spec.HTTPRule
	judge func(*sample.Ctx) rules.Verdict
}

func newTCPRules(lines []spec.HTTPRule) []tcpRule {
	var out []tcpRule
	for i := range lines {
		out = append(out, tcpRule{lines[i], rules.Judge(lines[i].Cond)})
	}
	return out
}

// tcpVerdict is what such rules make of a connection.
type tcpVerdict uint8

const (
	accepted tcpVerdict = iota
	undecided
	rejected
	dropped  // rejected without a word to the client
	severed  // the server's connection is to end
	upgrades // the session goes on in HTTP
	asks     // a name is to be resolved first
)

// firm is what such rules may change and look at.
type firm struct {
	fe     *Frontend
	came   *arrival
	client *engine.Conn
	src    *netip.AddrPort
	vars   *sample.Vars // of the scope sess
	level  *spec.LogLevel
	kept   *captures       // nil: there are no slots yet
	last   **spec.HTTPRule // that ended the rules; nil: nobody asks

	session sample.Session

	link *link // nil: there is no way to a server yet
	at   int   // the rule that asks for a name
	ttl  int   // of the rule that drops; see vanish
}

// ends remembers the rule that ends an evaluation.
func (f *firm) ends(r *tcpRule, v tcpVerdict) tcpVerdict {
	if f.last != nil {
		*f.last = &r.HTTPRule
	}
	return v
}

// judge runs rules over what c shows, up to the first that ends them or cannot tell
// yet. Rules before that one run again when there are more bytes, as in HAProxy.
func (w *Worker) judge(list []tcpRule, c *sample.Ctx, f *firm) tcpVerdict {
	for i := range list {
		r := &list[i]
		switch r.judge(c) {
		case rules.No:
			continue
		case rules.Maybe:
			if !c.Final {
				return undecided
			}
			continue
		}
		switch r.Action {
		case spec.ActionAllow:
			return f.ends(r, accepted)
		case spec.ActionSwitchMode:
			return f.ends(r, upgrades)
		case spec.ActionReject:
			return f.ends(r, rejected)
		case spec.ActionSilentDrop:
			f.ttl = r.Number
			return f.ends(r, dropped)
		case spec.ActionClose:
			return f.ends(r, severed)
		case spec.ActionExpectProxy:
			f.came.expected = true
		case spec.ActionCapture:
			if v, ok := r.Expr.Eval(c); ok && r.Slot < len(f.kept.request) {
				f.kept.request[r.Slot] = f.kept.keep(c.AsText(v), r.Len)
			}
		case spec.ActionDoResolve:
			f.at = i
			return asks
		case spec.ActionSetLogLevel:
			*f.level = r.Level
		case spec.ActionDoLog:
			w.doLog(&r.HTTPRule, c, f)
		case spec.ActionSetVar, spec.ActionUnsetVar:
			w.setVar(&r.HTTPRule, c, f)
		case spec.ActionSetSrc, spec.ActionSetSrcPort:
			*f.src = changed(&r.HTTPRule, c, *f.src)
			c.Client.Src = *f.src
		case spec.ActionSetDst, spec.ActionSetDstPort:
			f.client.SetLocalAddr(changed(&r.HTTPRule, c, f.client.LocalAddr()))
			c.Client.Dst = f.client.LocalAddr()
		case spec.ActionSetMark, spec.ActionSetTOS:
			if n, ok := number(&r.HTTPRule, c); ok {
				markPackets(r.Action, n, f.client)
			}
		default:
			if f.link == nil || !f.link.shape(&r.HTTPRule, c) {
				panic("BUG: an action that rules in mode tcp do not have")
			}
		}
	}
	return accepted
}

// setVar is httpSession.setVar for a connection.
func (w *Worker) setVar(r *spec.HTTPRule, c *sample.Ctx, f *firm) {
	switch {
	case r.Action == spec.ActionUnsetVar:
		c.UnsetVar(r.Var)
	case r.Expr != nil:
		if v, ok := r.Expr.Eval(c); ok {
			c.SetVarIf(r.Var, r.VarConds, v)
		}
	case r.Format == nil:
		w.value = append(w.value[:0], r.Value...)
		c.SetVarIf(r.Var, r.VarConds, &sample.Sample{Type: sample.Str, B: w.value})
	default:
		now := w.Loop.Now()
		rec := w.record(f.fe, f.client, &link{}, termination{'-', '-'}, now, now)
		rec.Client, rec.Sample = *f.src, c
		w.value = r.Format.Append(w.value[:0], rec)
		c.SetVarIf(r.Var, r.VarConds, &sample.Sample{Type: sample.Str, B: w.value})
	}
}

// changed is an address as set-src and its like leave it; what is no address changes
// nothing.
func changed(r *spec.HTTPRule, c *sample.Ctx, at netip.AddrPort) netip.AddrPort {
	v, ok := r.Expr.Eval(c)
	if !ok {
		return at
	}
	switch r.Action {
	case spec.ActionSetSrc, spec.ActionSetDst:
		if c.Cast(v, sample.Addr) {
			return netip.AddrPortFrom(v.IP, at.Port())
		}
	default:
		if c.Cast(v, sample.Int) && 0 <= v.Int && v.Int <= 65535 {
			return netip.AddrPortFrom(at.Addr(), uint16(v.Int))
		}
	}
	return at
}

// admits runs tcp-request connection or session rules, which see addresses alone. A
// connection that it refuses is counted and not logged, and has been told nothing.
func (w *Worker) admits(list []tcpRule, f *firm) bool {
	if len(list) == 0 {
		return true
	}
	c := &w.ctx
	c.Session, c.Auth = f.session, nil
	f.came.describe(&c.Client, *f.src, f.client)
	c.Req, c.Res, c.Server = sample.Message{}, sample.Message{}, sample.Conn{}
	c.In, c.Out = sample.Channel{}, sample.Channel{}
	c.Frontend, c.Backend, c.Target = &f.fe.facts, nil, nil
	c.FirstRequest, c.ForProxy, c.Final = false, false, true
	c.UniqueID, c.ReqCaps, c.ResCaps = nil, nil, nil
	c.Vars = [len(c.Vars)]*sample.Vars{sample.ScopeSess: f.vars}
	switch w.judge(list, c, f) {
	case accepted:
		return true
	case dropped:
		vanish(f.client, f.ttl)
	}
	f.fe.Denied.Add(1)
	return false
}

// inspect runs content rules over what the client sends first, until they have a
// verdict, the delay is over, there is no more room, or no more will come. Nothing has
// been forwarded then. It reports false when the session is over.
func (s *tcpSession) inspect(t *engine.Task, common *spec.Common, list []tcpRule, counters *Counters) bool {
	if len(list) == 0 {
		return true
	}
	deadline := after(t.Now(), common.InspectDelay)
	final := common.InspectDelay == 0
	for {
		s.take()
		c := s.ctx()
		c.Final = final || s.sent || s.up.w == maxHead
		f := s.firm()
		v := s.w.judge(list, c, &f)
		if s.w.verify(t, &s.auth) {
			continue
		}
		switch v {
		case accepted:
			return true
		case upgrades:
			s.switched = true
			return true
		case asks:
			a := s.w.lookUp(t, &list[f.at].HTTPRule, c)
			keepAddr(&list[f.at].HTTPRule, s.ctx(), a)
			list = list[f.at+1:] // a name is asked for once
			continue
		case undecided:
			silent := after(t.Now(), s.fe.Spec.Timeouts.Client)
			if final = s.client.Await(t, min(deadline, silent)) != nil; final && silent < deadline {
				s.sent, s.gone = true, termination{'c', 'R'}
			}
			continue
		case dropped:
			vanish(s.client, f.ttl)
			s.came.cut = true // no FIN either
		}
		counters.Denied.Add(1)
		s.end = termination{'P', 'R'}
		return false
	}
}

// take reads what has come without waiting.
func (s *tcpSession) take() {
	if s.sent {
		return
	}
	if err := s.up.gather(s.w.Loop); err != nil {
		s.sent = true
		if err != io.EOF {
			s.gone = termination{'C', 'R'}
		}
	}
}

func (s *tcpSession) firm() firm {
	return firm{fe: s.fe, came: &s.came, client: s.client, src: &s.src, vars: &s.vars, level: &s.logLevel, kept: &s.captures, last: &s.lastRule, session: s, link: &s.link}
}

// applyContentRules runs tcp-request content rules on a request, which is there as a
// whole: they wait for the end of the inspection delay alone. It reports false when a
// rule has ended the exchange.
func (s *httpSession) applyContentRules(t *engine.Task, common *spec.Common, list []httpRule, counters *Counters) bool {
	deadline := mono.Never
	for i := 0; i < len(list); {
		r := &list[i]
		c := s.asking()
		c.Final = common.InspectDelay == 0 || deadline != mono.Never && t.Now() >= deadline
		v := r.judge(c)
		if s.w.verify(t, &s.x.auth) {
			continue
		}
		c.Final = true
		switch {
		case v == rules.Maybe && deadline == mono.Never || v == rules.Maybe && t.Now() < deadline:
			if deadline == mono.Never {
				deadline = t.Now().Add(common.InspectDelay)
			}
			t.Suspend(deadline)
			i = 0
			continue
		case v == rules.Yes:
			switch s.obey(t, r, c, false, counters) {
			case endRules:
				return true
			case answered:
				return false
			}
		}
		i++
	}
	return true
}
