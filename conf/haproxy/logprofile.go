package haproxy

import (
	"slices"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
)

// The log-profile sections of chapter 8.3.5, and the steps at which lines are made.

// logProfile is a log-profile section while it is read, or one that a line has named
// before it was.
type logProfile struct {
	*spec.LogProfile
	declared bool
	pos      diag.Pos
	named    conf.Word // by the first line that names it
	ons      []onLine
}

// onLine is an `on` line. Its formats are compiled at the end: they may name proxies.
type onLine struct {
	step       *logStep
	drop       bool
	format, sd conf.Word
}

// logStep is a word for a step.
type logStep struct {
	name   string
	origin logfmt.Origin
	steps  bool          // log-steps knows it too
	at     sample.Places // what expressions may look at
}

const anyStep = "any"

var logSteps = []logStep{
	{anyStep, logfmt.Unspecified, false, sample.AtLog},
	{"accept", logfmt.TxnAccept, true, sample.AtLog | sample.AtSession},
	{"request", logfmt.TxnRequest, true, sample.AtLog | sample.AtRequest},
	{"connect", logfmt.TxnConnect, true, sample.AtLog | sample.AtRequest},
	{"response", logfmt.TxnResponse, true, sample.AtLog | sample.AtResponse},
	{"close", logfmt.TxnClose, true, sample.AtLog},
	{"error", logfmt.SessError, false, sample.AtLog},
	{"tcp-req-conn", logfmt.TCPReqConn, false, sample.AtConnection},
	{"tcp-req-sess", logfmt.TCPReqSess, false, sample.AtSession},
	{"tcp-req-cont", logfmt.TCPReqCont, false, sample.AtContent | sample.AtBackendContent},
	{"tcp-res-cont", logfmt.TCPResCont, false, sample.AtResContent},
	{"http-req", logfmt.HTTPReq, false, sample.AtRequest | sample.AtBackendRequest},
	{"http-res", logfmt.HTTPRes, false, sample.AtResponse},
	{"http-after-res", logfmt.HTTPAfterRes, false, sample.AtResponse},
}

// laterSteps are those that never come here.
var laterSteps = []string{"quic-init"}

var logProfileKeywords = []keyword[*logProfile]{
	{"log-tag", 0, false, Done, profileTag, "the program's name in syslog heads, before those of log-tag elsewhere"},
	{"on", 0, false, Done, profileOn, "what is written at a step: drop, format, sd"},
}

// logProfile returns the profile of that name, which may be declared later.
func (l *lowerer) logProfile(name conf.Word) *logProfile {
	for _, p := range l.logProfiles {
		if p.Name == name.Text {
			return p
		}
	}
	p := &logProfile{LogProfile: &spec.LogProfile{Name: name.Text}, named: name}
	l.logProfiles = append(l.logProfiles, p)
	return p
}

func (l *lowerer) logProfileSection(s *conf.Section) {
	p := &logProfile{LogProfile: new(spec.LogProfile)} // for the mistakes in its lines alone
	if name, ok := l.sectionName(s); ok {
		named := l.logProfile(name)
		if named.declared {
			l.errs.Errorf(name.Pos, "", "log-profile '%s' has the same name as another one at %s", name.Text, named.pos)
		} else {
			p = named
			p.declared, p.pos = true, s.Keyword.Pos
			l.cfg.LogProfiles = append(l.cfg.LogProfiles, p.LogProfile)
		}
	}
	lines(l, s, logProfileKeywords, p, func(*keyword[*logProfile], *args) bool { return true })
}

// sectionName is the one argument of a section.
func (l *lowerer) sectionName(s *conf.Section) (conf.Word, bool) {
	switch {
	case len(s.Args) == 0:
		l.errs.Errorf(s.Keyword.Pos, "", "'%s' expects a name", s.Keyword.Text)
		return conf.Word{}, false
	case len(s.Args) > 1:
		l.errs.Errorf(s.Args[1].Pos, "", "unexpected argument '%s'", s.Args[1].Text)
		return conf.Word{}, false
	case hasEmpty(&l.errs, s.Args):
		return conf.Word{}, false
	}
	name := s.Args[0]
	if bad := badNameByte(name.Text); bad != "" {
		l.errs.Errorf(name.Pos, "letters, digits and - _ . : are allowed", "character '%s' is not permitted in %s name '%s'", bad, s.Keyword.Text, name.Text)
	}
	return name, true
}

func profileTag(p *logProfile, a *args) {
	if w, ok := a.next("a name"); ok {
		p.Tag = w.Text
	}
}

// profileOn reads `on STEP [drop] [format FMT] [sd FMT]`.
func profileOn(p *logProfile, a *args) {
	w, ok := a.next("a step")
	if !ok {
		return
	}
	on := onLine{step: a.logStep(w, func(*logStep) bool { return true })}
	for a.more() {
		switch w, _ := a.next(""); w.Text {
		case "drop":
			on.drop = true
		case "format":
			on.format, _ = a.next("a format")
		case "sd":
			on.sd, _ = a.next("a format")
		default:
			a.fail(w, "put quotes round a format that has blanks", "'on' expects drop, format or sd, not '%s'", w.Text)
		}
	}
	if !a.failed {
		p.ons = append(p.ons, on)
	}
}

// logStep finds the step that a word names among those that fit.
func (a *args) logStep(w conf.Word, fits func(*logStep) bool) *logStep {
	var names []string
	for i := range logSteps {
		if s := &logSteps[i]; fits(s) {
			if s.name == w.Text {
				return s
			}
			names = append(names, s.name)
		}
	}
	if slices.Contains(laterSteps, w.Text) {
		a.fail(w, "remove the line: baton comes to no such step", "step '%s' is known, not supported yet", w.Text)
		return nil
	}
	hint := didYouMean(w.Text, names)
	if hint == "" {
		hint = "one of: " + strings.Join(names, ", ")
	}
	a.fail(w, hint, "unknown log step '%s'", w.Text)
	return nil
}

// parseLogSteps reads `log-steps all` or `log-steps STEP[,STEP...]`.
func parseLogSteps(p *proxy, a *args) {
	w, ok := a.next("all, or steps separated by commas")
	if !ok {
		return
	}
	p.common.LogSteps = 0
	for name := range strings.SplitSeq(w.Text, ",") {
		one := w
		one.Text = name
		for i := range logSteps {
			if name == "all" && logSteps[i].steps {
				p.common.LogSteps |= logfmt.Of(logSteps[i].origin)
			}
		}
		if name == "all" {
			continue
		}
		if s := a.logStep(one, func(s *logStep) bool { return s.steps }); s != nil {
			p.common.LogSteps |= logfmt.Of(s.origin)
		}
	}
}

// actionDoLog reads `do-log [profile NAME]`; origin says whose rule it is.
func actionDoLog(origin logfmt.Origin) func(*ruleLine, *args) {
	return func(r *ruleLine, a *args) {
		r.rule.Action, r.rule.Origin = spec.ActionDoLog, origin
		if a.accept("profile") {
			if w, ok := a.next("the name of a log-profile"); ok {
				r.rule.Profile = r.p.l.logProfile(w).LogProfile
			}
		}
	}
}

// tcpDoLog is actionDoLog for rules of mode tcp, which share a table.
func tcpDoLog(r *ruleLine, a *args) {
	origin := logfmt.TCPReqCont
	switch r.when {
	case onConnection:
		origin = logfmt.TCPReqConn
	case onSession:
		origin = logfmt.TCPReqSess
	case onResContent:
		origin = logfmt.TCPResCont
	}
	actionDoLog(origin)(r, a)
}

// resolveLogProfiles compiles what `on` lines say, and refuses names without a section.
func (l *lowerer) resolveLogProfiles() {
	// Their expressions belong to no proxy.
	nobody := &proxy{l: l, settings: settings{common: spec.Common{Mode: spec.HTTP}}}
	for _, p := range l.logProfiles {
		if !p.declared {
			var names []string
			for _, o := range l.logProfiles {
				if o.declared {
					names = append(names, o.Name)
				}
			}
			l.errs.Errorf(p.named.Pos, didYouMean(p.Name, names), "unable to find log-profile '%s'", p.Name)
			continue
		}
		for _, on := range p.ons {
			step := spec.LogStep{On: on.step.origin, Drop: on.drop, Format: nobody.format(on.format, on.step.at), FormatSD: nobody.format(on.sd, on.step.at)}
			if on.step.name == anyStep {
				p.Any = &step
				continue
			}
			// The last line of a step wins.
			p.Steps = slices.DeleteFunc(p.Steps, func(s spec.LogStep) bool { return s.On == step.On })
			p.Steps = append(p.Steps, step)
		}
	}
}
