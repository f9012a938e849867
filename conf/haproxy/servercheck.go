package haproxy

import (
	"math"
	"net/netip"
	"time"

	"baton/lb/spec"
)

// serverCheckKeywords are the server options of chapter 5.2 about agents, observed
// traffic and the state at start.
var serverCheckKeywords = []keyword[*server]{
	{"agent-addr", 0, false, Done, serverAgentAddr, "address of the agent, default the server's"},
	{"agent-check", 0, false, Done, func(s *server, _ *args) { s.agents = true }, "ask an agent for weight, maxconn and state"},
	{"agent-inter", 0, false, Done, func(s *server, a *args) { s.agent.Inter, _ = a.duration(time.Millisecond) }, "interval of the agent's checks, default 2s"},
	{"agent-port", 0, false, Done, serverAgentPort, "port of the agent"},
	{"agent-send", 0, false, Done, serverAgentSend, "text that is sent to the agent"},
	{"error-limit", 0, false, Done, func(s *server, a *args) { s.check.ErrorLimit, _ = a.integer("a number of errors", 1, math.MaxInt32) }, "errors in a row that lead to on-error, default 10"},
	{"init-state", 0, false, Done, serverInitState, "up (default), fully-up, down or fully-down before the first check"},
	{"no-agent-check", 0, false, Done, func(s *server, _ *args) { s.agents = false }, "undoes `agent-check` of default-server"},
	{"observe", 0, false, Done, serverObserve, "count the errors of traffic: layer4, layer7"},
	{"on-error", 0, false, Done, serverOnError, "what they lead to: fastinter, fail-check (default), sudden-death, mark-down"},
}

func serverAgentPort(s *server, a *args) {
	port, _ := a.integer("a port", 1, math.MaxUint16)
	s.agent.Port = uint16(port)
}

func serverAgentAddr(s *server, a *args) {
	w, ok := a.next("an address")
	if !ok {
		return
	}
	s.agent.Host, s.agent.Addr = "", netip.Addr{}
	if addr, err := netip.ParseAddr(w.Text); err == nil && addr.Zone() == "" {
		s.agent.Addr = addr.Unmap()
		return
	}
	if !validHost(w.Text) {
		a.fail(w, "write an IP address or a host name", "invalid address '%s'", w.Text)
	}
	s.agent.Host = w.Text
}

func serverAgentSend(s *server, a *args) {
	if w, ok := a.next("a text"); ok {
		s.agent.Send = w.Text
	}
}

func serverInitState(s *server, a *args) {
	s.check.Init = spec.InitState(a.index("a state", "up", "fully-up", "down", "fully-down"))
}

func serverObserve(s *server, a *args) {
	s.observed = a.words[a.i-1]
	s.check.Observe = spec.Layer(a.index("a layer", "none", "layer4", "layer7"))
}

func serverOnError(s *server, a *args) {
	s.check.OnError = spec.OnError(a.index("a mode", "fail-check", "fastinter", "sudden-death", "mark-down"))
}

// index is the place of the next word among some.
func (a *args) index(what string, words ...string) int {
	w := a.oneOf(what, words...)
	for i := range words {
		if words[i] == w {
			return i
		}
	}
	return 0
}

// checkAgents reports what the options about checks lack.
func (p *proxy) checkAgents() {
	for _, s := range p.servers {
		switch {
		case s.broken:
		case s.agents && s.agent.Port == 0:
			p.l.errs.Errorf(s.Pos, "add agent-port PORT", "server '%s' does not have an agent port", s.Name)
		case s.agents && s.track.Text != "":
			p.l.errs.Errorf(s.track.Pos, "remove `agent-check` or `track`", "server '%s/%s': agent checks and tracking cannot go together", p.name.Text, s.Name)
		case s.check.Observe == spec.Layer7 && p.common.Mode != spec.HTTP:
			p.l.errs.Errorf(s.observed.Pos, "write `observe layer4`, or `mode http` in the section", "server '%s': 'observe layer7' can only be used in mode http", s.Name)
		case s.check.Observe != spec.LayerNone && !s.checked:
			p.l.errs.Unusedf(s.observed.Pos, "add `check`", "server '%s': 'observe' has no effect without checks", s.Name)
		}
	}
}
