package haproxy

import (
	"slices"

	"baton/conf"
	"baton/lb/spec"
)

// Which protocol servers are spoken to in: proto, check-proto, ws (chapter 5.2). There is
// one for each mode, so the words choose nothing; they are read lest they ask for another.

func serverProto(s *server, a *args) { s.proto = a.protocol("h1", "none") }

func serverCheckProto(s *server, a *args) { s.checkProto = a.protocol("h1", "none") }

func serverWebSockets(_ *server, a *args) { a.protocol("auto", "h1") }

// protocol reads the name of a protocol, which has to be one of those spoken.
func (a *args) protocol(spoken ...string) conf.Word {
	w, ok := a.next("a protocol, as h1")
	switch {
	case !ok, slices.Contains(spoken, w.Text):
	case w.Text == "h2", w.Text == "fcgi":
		a.fail(w, "write h1", "protocol '%s' is known, not supported yet", w.Text)
	default:
		a.fail(w, didYouMean(w.Text, spoken), "unknown protocol '%s'", w.Text)
	}
	return w
}

// checkProtocols reports servers whose protocol is not that of the mode, or of the checks.
func (p *proxy) checkProtocols() {
	for _, s := range p.servers {
		if s.broken {
			continue
		}
		p.fits(s.proto, "proto", p.common.Mode == spec.HTTP)
		if s.checked {
			p.fits(s.checkProto, "check-proto", p.checks.option == checkHTTP)
		}
	}
}

// fits reports a protocol that is not the one for HTTP, or for bytes of any kind.
func (p *proxy) fits(w conf.Word, option string, http bool) {
	fit, cannot := "none", "h1"
	if http {
		fit, cannot = "h1", "none"
	}
	if w.Text == cannot {
		p.l.errs.Errorf(w.Pos, "write "+fit+", or leave it out", "'%s %s' does not fit %s '%s'", option, cannot, p.word, p.name.Text)
	}
}
