package probe

import (
	"bytes"
	"net/netip"

	"baton/lb/health"
	"baton/lb/spec"
)

// AgentTarget is the target of a server's agent-check.
func AgentTarget(server netip.AddrPort, a *spec.Agent, to *spec.Timeouts) Target {
	addr := server.Addr()
	if a.Addr.IsValid() {
		addr = a.Addr
	}
	const line = 2 // the step that failures name
	plan := &spec.CheckPlan{Kind: spec.CheckProtocol, Steps: []spec.CheckStep{{Connect: &spec.CheckConnect{}}}}
	if a.Send != "" {
		plan.Steps = append(plan.Steps, spec.CheckStep{Send: &spec.CheckText{Text: a.Send}})
	}
	plan.Steps = append(plan.Steps, spec.CheckStep{Number: line, Expect: &spec.Expect{Kind: spec.ExpectAgent}})
	t := Target{Addr: netip.AddrPortFrom(addr, a.Port), Plan: plan}
	t.limits(a.Inter, to)
	return t
}

// agentLine judges what an agent has sent: its first line. Without an end it is none,
// and says nothing.
func agentLine(b []byte, last bool) (health.Result, verdict) {
	switch {
	case bytes.ContainsAny(b, "\r\n"):
		return health.ReadAgent(string(b)), met
	case last:
		return health.Result{Status: health.Same}, met
	}
	return health.Result{}, undecided
}
