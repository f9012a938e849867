package proxy

import (
	"os"
	"time"

	"baton/lb/logfmt"
	"baton/lb/logsink"
	"baton/lb/spec"
)

// Build makes the runtime objects of a configuration. Its servers' addresses must
// have been resolved. Servers are not usable until SetUsable says so. What is counted
// goes on from was, the Set of the configuration before, if there is one.
func Build(set *Set, cfg *spec.Config, sinks *logsink.Sinks, was *Set) error {
	set.byName = make(map[string]*Backend)
	set.clerk.more = make(chan struct{}, 1)
	set.rates = cfg.Rates || set.MaxConnRate > 0 || set.MaxSessRate > 0
	set.userlists = len(cfg.Userlists) > 0
	if was != nil {
		set.lasting = was.lasting
	} else {
		set.lasting = &lasting{started: time.Now()}
		was = &Set{}
	}
	var err error
	if set.hostname, err = os.Hostname(); err != nil {
		return err
	}
	for i, bs := range cfg.Backends {
		b := newBackend(bs, i, &set.servers, set.fullconn(bs, cfg.Frontends), was.byName[bs.Name])
		logs, err := sinks.Group(bs.Logs)
		if err != nil {
			return err
		}
		b.Logs = logs
		set.Backends = append(set.Backends, b)
		set.byName[bs.Name] = b
	}
	var needs logfmt.Need
	for _, p := range cfg.LogProfiles {
		needs |= p.Needs()
	}
	for _, fs := range cfg.Frontends {
		fe, err := newFrontend(set, fs, needs, sinks, was.frontendCounters(fs.Name))
		if err != nil {
			return err
		}
		set.Frontends = append(set.Frontends, fe)
	}
	return nil
}

// newFrontend makes a frontend; profiles is what the log profiles need.
func newFrontend(set *Set, sp *spec.Frontend, profiles logfmt.Need, sinks *logsink.Sinks, counters *Counters) (*Frontend, error) {
	logs, err := sinks.Group(sp.Logs)
	if err != nil {
		return nil, err
	}
	fe := &Frontend{
		Spec: sp, Logs: logs, Counters: counters, facts: factsOf(&sp.Common), Default: set.byName[sp.DefaultBackend],
		request: newRules(sp.HTTPReq), redirects: newRules(sp.Redirects), response: newRules(sp.HTTPRes), after: newRules(sp.HTTPAfter),
	}
	fe.facts.DefaultBackend = sp.DefaultBackend
	set.rates = set.rates || sp.RateLimit > 0
	for i := range sp.Binds {
		if b := &sp.Binds[i]; b.Maxconn > 0 {
			if fe.places == nil {
				fe.places = make(map[*spec.Bind]*places)
			}
			fe.places[b] = &places{all: int32(b.Maxconn)}
		}
	}
	fe.connection, fe.session = newTCPRules(sp.TCPConnection), newTCPRules(sp.TCPSession)
	fe.requestContent = newRules(sp.TCPContent)
	if sp.Mode == spec.TCP { // connections begin there, and may go on in HTTP
		fe.content = newTCPRules(sp.TCPContent)
	}
	if sp.Listen {
		fe.Default = set.byName[sp.Name]
	}
	for _, u := range sp.UseBackends {
		fe.switches = append(fe.switches, backendSwitch{cond: compile(u.Cond), to: set.byName[u.Backend], format: u.Format})
	}
	for i := range sp.MonitorFail {
		fe.monitor = append(fe.monitor, compile(&sp.MonitorFail[i]))
	}
	fe.outputs, fe.steps = logs.Parts(), stepsOf(sp)
	fe.needs = profiles | sp.Format.Needs() | sp.FormatSD.Needs() | sp.ErrorFormat.Needs() | sp.UniqueID.Needs()
	set.countStreams = set.countStreams || fe.needs&logfmt.NeedCounters != 0
	return fe, nil
}

// contentRules compiles tcp-request or tcp-response content rules for a proxy's mode.
func contentRules(mode spec.Mode, lines []spec.HTTPRule) ([]tcpRule, []httpRule) {
	if mode == spec.TCP {
		return newTCPRules(lines), nil
	}
	return nil, newRules(lines)
}

func newRules(lines []spec.HTTPRule) []httpRule {
	var out []httpRule
	for i, r := range lines {
		rule := newRule(r)
		// As HAProxy was seen to do it: a hint whose rule has no condition joins the one before.
		rule.ends = i+1 == len(lines) || lines[i+1].Action != spec.ActionEarlyHint || lines[i+1].Cond != nil
		out = append(out, rule)
	}
	return out
}
