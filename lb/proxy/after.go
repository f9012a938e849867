package proxy

import (
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/sample"
	"baton/lb/spec"
)

// http-after-response: rules on every response that leaves, those made here too.

// applyAfterRules runs the rules on a server's response, once nothing can take its
// place any more. It reports false when it had to be answered with 500.
func (s *httpSession) applyAfterRules(t *engine.Task) bool {
	b := s.x.backend
	return s.applyResponseRules(t, b.after, b.Counters) && s.applyResponseRules(t, s.fe.after, s.fe.Counters)
}

// ownAnswer is a response made here while the rules run.
type ownAnswer struct {
	s   *httpSession
	msg []byte // head and body
	m   *http1.Message
	alt int // which of the worker's two rooms comes next
}

// applyAfter runs the rules on a whole response made here; the result is valid until
// the next one of this worker.
func (s *httpSession) applyAfter(t *engine.Task, msg []byte) []byte {
	s.x.resEdits.reset() // what rules did to a server's response goes with it
	var backend []httpRule
	if s.x.backend != nil {
		backend = s.x.backend.after
	}
	if len(backend) == 0 && len(s.fe.after) == 0 {
		return msg
	}
	a := ownAnswer{s: s, msg: msg, m: s.w.getResponse()}
	if a.parse() {
		a.run(t, backend)
		a.run(t, s.fe.after)
		a.settle()
	}
	a.m.Reset()
	s.w.responses = append(s.w.responses, a.m)
	s.x.resEdits.reset()
	return a.msg
}

func (a *ownAnswer) parse() bool {
	a.m.Reset()
	return a.m.ParseResponse(a.msg, http1.MethodGet) == http1.Done
}

// room is where the next form of the message is written.
func (a *ownAnswer) room() []byte {
	w := a.s.w
	a.alt ^= 1
	if w.rooms[a.alt] == nil {
		w.rooms[a.alt] = make([]byte, 0, engine.BufferSize)
	}
	return w.rooms[a.alt][:0]
}

func (a *ownAnswer) run(t *engine.Task, rules []httpRule) {
	s := a.s
	for i := range rules {
		r := &rules[i]
		c := s.ctx()
		c.Res = sample.Message{Head: a.m, Buf: a.msg, Added: s.x.resEdits.added, Status: a.m.Status}
		c.Vars[sample.ScopeRes] = &s.x.resVars
		if r.cond != nil && !r.cond(c) {
			continue
		}
		switch r.Action {
		case spec.ActionAddHeader, spec.ActionSetHeader, spec.ActionDelHeader:
			line := &r.header
			if r.Format != nil {
				line = s.x.resEdits.line(r.header.Name, s.text(r, c))
			}
			s.x.resEdits.apply(r, line, a.m, a.msg)
		case spec.ActionReplaceHeader, spec.ActionReplaceValue, spec.ActionSetStatus:
			a.settle()
			start := s.statusLine(r, a.msg)
			var text []byte
			if start == nil {
				text = s.text(r, c)
			}
			a.become(appendRewritten(a.room(), a.msg, a.m, start, r, text))
		case spec.ActionSetMap, spec.ActionDelMap, spec.ActionAddACL:
			s.changeList(nil, r, c) // the message stands in the worker's room: no waiting
		default:
			if s.obey(t, r, c, true, s.fe.Counters) == endRules {
				return
			}
		}
	}
}

// settle writes what rules did to the head into the message.
func (a *ownAnswer) settle() {
	e := &a.s.x.resEdits
	a.become(append(e.appendHead(a.room(), a.msg, a.m, 0), "\r\n"...))
	e.reset()
}

// become takes a new head over. One that is none changes nothing: what is answered
// here has to be answered.
func (a *ownAnswer) become(head []byte) {
	old := a.msg
	a.msg = append(head, old[a.m.HeadLen:]...)
	if !a.parse() {
		a.msg = old
		a.parse()
	}
	a.s.x.status = a.m.Status
}
