package haproxy

import (
	"math"
	"net/netip"
	"strings"
	"time"

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
	{"source", back, false, Done, parseSource, "address or interface that connections to servers come from; usesrc is not supported"},
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

func parseSource(p *proxy, a *args) { p.source = a.source() }

func serverSource(s *server, a *args) { s.Source = a.source() }

// source reads ADDRESS[:PORT] [interface NAME].
func (a *args) source() *spec.Source {
	w, ok := a.next("an IP address")
	if !ok {
		return nil
	}
	family, rest := cutFamily(w.Text)
	host, port := rest, ""
	if addr, err := netip.ParseAddr(rest); err != nil || !addr.Is6() {
		host, port = splitHostPort(rest)
	}
	if host == "*" || host == "" {
		host = "0.0.0.0"
	}
	addr, err := netip.ParseAddr(host)
	n := 0
	if port != "" {
		if strings.ContainsAny(port, "-+") {
			a.fail(w, "write one port, or none", "the port range in '%s' is known, not supported yet", w.Text)
			return nil
		}
		n, ok = parseInt(port, 0, math.MaxUint16)
	}
	if err != nil || !ok || addr.Zone() != "" || family != "" && !familyFits(family, host) {
		a.fail(w, "write an IP address", "invalid source address '%s'", w.Text)
		return nil
	}
	s := &spec.Source{Addr: netip.AddrPortFrom(addr.Unmap(), uint16(n))}
	for {
		switch {
		case a.accept("interface"):
			name, _ := a.next("the name of an interface")
			s.Interface = name.Text
		case a.peek() == "usesrc":
			a.fail(a.words[a.i], "use send-proxy, or `option forwardfor`", "'source ... usesrc' is known, not supported yet")
			return nil
		default:
			return s
		}
	}
}

func bindInterface(b *bindLine, a *args) {
	w, _ := a.next("the name of an interface")
	b.tcp.Interface = w.Text
}

func bindMSS(b *bindLine, a *args) {
	n, ok := a.integer("a segment size", -65535, 65535)
	if ok && n < 0 {
		a.fail(a.last(), "write the size itself", "a negative 'mss' is known, not supported yet")
	}
	b.tcp.MSS = n
}

func bindUserTimeout(b *bindLine, a *args) { b.tcp.UserTimeout, _ = a.duration(0) }

func bindBacklog(b *bindLine, a *args) {
	b.tcp.Backlog, _ = a.integer("a number of connections", 1, math.MaxInt32)
}

func serverUserTimeout(s *server, a *args) { s.UserTimeout, _ = a.duration(0) }
