package haproxy

import (
	"math"
	"net/netip"
	"slices"
	"strings"

	"baton/conf"
	"baton/lb/spec"
)

func parseBind(p *proxy, a *args) {
	w, ok := a.next("an address")
	if !ok {
		return
	}
	binds := a.listenAddresses(w)
	isUnix := func(b spec.Bind) bool { return b.Kind == spec.BindUnix }
	b := &bindLine{single: len(binds) <= 1, unix: slices.ContainsFunc(binds, isUnix)}
	readOptions(a, bindKeywords, b, "bind option")
	for _, bind := range binds {
		bind.V4V6 = bind.Kind == spec.BindIP && bind.Addr.Addr() == netip.IPv6Unspecified() && !b.v6only
		bind.Name, bind.File = b.name, b.file
		bind.AcceptProxy, bind.TCP, bind.Maxconn = b.acceptProxy, b.tcp, b.maxconn
		p.binds = append(p.binds, bind)
	}
}

// listenAddresses reads the comma-separated addresses of a bind line.
func (a *args) listenAddresses(w conf.Word) []spec.Bind {
	var all []spec.Bind
	for text := range strings.SplitSeq(w.Text, ",") {
		family, rest := cutFamily(strings.TrimPrefix(text, "stream+"))
		if family == "" && strings.HasPrefix(rest, "/") {
			family = "unix"
		}
		one := spec.Bind{Path: rest, Text: w.Text, Pos: w.Pos}
		switch family {
		case "unix", "abns", "abnsz":
			if !a.localAddress(&one, family, w, text) {
				return nil
			}
			all = append(all, one)
		case "fd":
			n, ok := parseInt(rest, 0, math.MaxInt32)
			if !ok {
				a.fail(w, "is an environment variable unset?", "file descriptor '%s' is not a valid integer in '%s'", rest, text)
				return nil
			}
			one.Kind, one.FD, one.Path = spec.BindFD, n, ""
			all = append(all, one)
		case "", "ipv4", "ipv6", "tcp", "tcp4", "tcp6":
			addrs := a.ipAddresses(family, rest, w, text)
			if addrs == nil {
				return nil
			}
			for _, addr := range addrs {
				all = append(all, spec.Bind{Addr: addr, Text: w.Text, Pos: w.Pos})
			}
		default:
			a.fail(w, addressHint(family, rest), "address '%s' is known, not supported yet", text)
			return nil
		}
	}
	return all
}

// addressHint is for the prefix of an address that a listener cannot have.
func addressHint(family, rest string) string {
	switch {
	case strings.HasPrefix(family, "udp") || strings.HasPrefix(family, "dgram"):
		return "a frontend listens on stream sockets; datagrams are for log-forward sections"
	case !strings.Contains(rest, ":"):
		return "prefixes are ipv4@, ipv6@, tcp@, unix@, abns@, abnsz@ and fd@"
	}
	return "write an IP address and a port"
}

// localAddress completes a bind on a unix socket.
func (a *args) localAddress(b *spec.Bind, family string, w conf.Word, text string) bool {
	b.Kind = map[string]spec.BindKind{"unix": spec.BindUnix, "abns": spec.BindAbstract, "abnsz": spec.BindAbstractZ}[family]
	limit := maxSunName
	if b.Kind == spec.BindUnix {
		limit = maxSocketPath
	}
	problem := tooLong(b.Path, limit)
	switch {
	case b.Path == "":
		a.fail(w, "", "missing name of the socket in '%s'", text)
	case problem != "":
		a.fail(w, "", "the name of the socket in '%s' is too long: %s", text, problem)
	}
	return !a.failed
}

// ipAddresses reads ADDRESS:PORT or ADDRESS:PORT-PORT.
func (a *args) ipAddresses(family, rest string, w conf.Word, text string) []netip.AddrPort {
	host, ports := splitHostPort(rest)
	if ports == "" {
		a.fail(w, "write ADDRESS:PORT, for example *:80", "missing port specification in '%s'", text)
		return nil
	}
	low, high, isRange := strings.Cut(ports, "-")
	first, ok1 := parseInt(low, 1, math.MaxUint16)
	last, ok2 := first, true
	if isRange {
		last, ok2 = parseInt(high, 1, math.MaxUint16)
	}
	if !ok1 || !ok2 || last < first {
		a.fail(w, "", "invalid port '%s' in '%s'", ports, text)
		return nil
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case host == "" || host == "*":
		addr = netip.IPv4Unspecified()
		if strings.HasSuffix(family, "6") {
			addr = netip.IPv6Unspecified()
		}
	case err != nil || addr.Zone() != "" || !familyFits(family, host):
		a.fail(w, "write an IP address; host names are not looked up here", "invalid address '%s' in '%s'", host, text)
		return nil
	}
	var all []netip.AddrPort
	for port := first; port <= last; port++ {
		all = append(all, netip.AddrPortFrom(addr.Unmap(), uint16(port)))
	}
	return all
}
