package haproxy

import (
	"math"
	"net/netip"
	"strings"
	"time"

	"baton/conf"
	"baton/lb/spec"
)

// socketKeywords are the lines about TCP below the traffic.
var socketKeywords = []keyword[*proxy]{
	{"clitcpka-cnt", front, false, Done, func(p *proxy, a *args) { probes(&p.clientAlive, a) }, "keepalive probes to a client before it is given up"},
	{"clitcpka-idle", front, false, Done, func(p *proxy, a *args) { seconds(&p.clientAlive.Idle, a) }, "silence before the first keepalive probe to a client"},
	{"clitcpka-intvl", front, false, Done, func(p *proxy, a *args) { seconds(&p.clientAlive.Each, a) }, "time between keepalive probes to a client"},
	{"option clitcpka", front, true, Done, func(p *proxy, a *args) { p.clientAlive.On = !a.no }, "TCP keepalive on clients' connections"},
	{"option srvtcpka", back, true, Done, func(p *proxy, a *args) { p.serverAlive.On = !a.no }, "TCP keepalive on servers' connections"},
	{"option tcpka", inAll, true, Done, optionTCPKeepalive, "TCP keepalive on both sides"},
	{"rate-limit sessions", front, false, Done, func(p *proxy, a *args) { p.rateLimit = a.rate() }, "most new connections in a second; others wait in the kernel"},
	{"source", back, false, Done, parseSource, "address or interface that connections to servers come from; usesrc ADDRESS, client or clientip"},
	{"srvtcpka-cnt", back, false, Done, func(p *proxy, a *args) { probes(&p.serverAlive, a) }, "keepalive probes to a server before it is given up"},
	{"srvtcpka-idle", back, false, Done, func(p *proxy, a *args) { seconds(&p.serverAlive.Idle, a) }, "silence before the first keepalive probe to a server"},
	{"srvtcpka-intvl", back, false, Done, func(p *proxy, a *args) { seconds(&p.serverAlive.Each, a) }, "time between keepalive probes to a server"},
}

func optionTCPKeepalive(p *proxy, a *args) {
	if p.kind != inBackend {
		p.clientAlive.On = !a.no
	}
	if p.kind != inFrontend {
		p.serverAlive.On = !a.no
	}
}

func probes(k *spec.Keepalive, a *args) { k.Probes, _ = a.integer("a number of probes", 1, 127) }

// seconds reads a time of whole seconds, which is what the kernel counts in; HAProxy
// drops the rest, here it is an error.
func seconds(d *time.Duration, a *args) {
	t, ok := a.duration(time.Second)
	if ok && t%time.Second != 0 {
		a.fail(a.last(), "the kernel counts in seconds", "'%s' is not a whole number of seconds", a.last().Text)
	}
	*d = t
}

func parseSource(p *proxy, a *args) { p.source = a.source(false) }

func serverSource(s *server, a *args) { s.Source = a.source(true) }

// source reads ADDRESS[:PORT] [interface NAME] [usesrc ...]; a server's may name a range
// of ports.
func (a *args) source(ranges bool) *spec.Source {
	w, ok := a.next("an IP address")
	if !ok {
		return nil
	}
	s := &spec.Source{}
	s.Addr, s.LastPort, ok = a.sourceAddress(w)
	switch {
	case !ok:
		return nil
	case s.LastPort > 0 && !ranges:
		a.fail(w, "write the range on each server line", "port range not permitted here in '%s'", w.Text)
		return nil
	}
	for {
		switch {
		case a.accept("interface"):
			name, _ := a.next("the name of an interface")
			s.Interface = name.Text
		case a.accept("usesrc"):
			a.useSource(s)
		default:
			return s
		}
	}
}

// sourceAddress reads ADDRESS[:PORT[-PORT]].
func (a *args) sourceAddress(w conf.Word) (at netip.AddrPort, last uint16, ok bool) {
	family, rest := cutFamily(w.Text)
	host, ports := rest, ""
	if addr, err := netip.ParseAddr(rest); err != nil || !addr.Is6() {
		host, ports = splitHostPort(rest)
	}
	if host == "*" || host == "" {
		host = "0.0.0.0"
	}
	addr, err := netip.ParseAddr(host)
	low, high, isRange := strings.Cut(ports, "-")
	first, end, ok1, ok2 := 0, 0, true, true
	if ports != "" {
		first, ok1 = parseInt(low, 0, math.MaxUint16)
	}
	if isRange {
		end, ok2 = parseInt(high, 1, math.MaxUint16)
		ok1 = ok1 && 0 < first && first <= end
	}
	if err != nil || !ok1 || !ok2 || addr.Zone() != "" || family != "" && !familyFits(family, host) {
		a.fail(w, "write an IP address", "invalid source address '%s'", w.Text)
		return at, 0, false
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(first)), uint16(end), true
}

// useSource reads whose address the server sees.
func (a *args) useSource(s *spec.Source) {
	w, ok := a.next("'client', 'clientip' or an address")
	switch {
	case !ok:
	case w.Text == "client":
		s.As = spec.AsClient
	case w.Text == "clientip":
		s.As = spec.AsClientIP
	case strings.HasPrefix(w.Text, "hdr_ip("):
		a.fail(w, "http-request set-src hdr_ip(...), and usesrc clientip", "'usesrc hdr_ip' is known, not supported yet")
	default:
		s.As = spec.AsAddress
		var last uint16
		if s.Presented, last, ok = a.sourceAddress(w); ok && last > 0 {
			a.fail(w, "write one port, or none", "port range not permitted here in '%s'", w.Text)
		}
	}
	if !a.failed && s.LastPort > 0 && (s.As == spec.AsClient || s.As == spec.AsClientIP) {
		a.fail(w, "leave the ports out", "a range of ports has no effect with 'usesrc %s'", w.Text)
	}
}

func bindInterface(b *bindLine, a *args) {
	w, _ := a.next("the name of an interface")
	b.tcp.Interface = w.Text
}

func bindMSS(b *bindLine, a *args) { b.tcp.MSS, _ = a.integer("a segment size", -65535, 65535) }

func bindMaxconn(b *bindLine, a *args) {
	b.maxconn, _ = a.integer("a number of connections", 0, math.MaxInt32)
}

// rate reads a number per second; 0 is no limit.
func (a *args) rate() int {
	n, _ := a.integer("a number of connections per second", 0, math.MaxInt32)
	return n
}

func bindUserTimeout(b *bindLine, a *args) { b.tcp.UserTimeout, _ = a.duration(0) }

func bindBacklog(b *bindLine, a *args) {
	b.tcp.Backlog, _ = a.integer("a number of connections", 1, math.MaxInt32)
}

func serverUserTimeout(s *server, a *args) { s.UserTimeout, _ = a.duration(0) }
