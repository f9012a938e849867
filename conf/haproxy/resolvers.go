package haproxy

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/spec"
)

// resolversSection is a resolvers section while it is read.
type resolversSection struct {
	*spec.Resolvers
	names map[string]conf.Word
}

// resolversKeywords are the lines of chapter 5.3.2.
func resolversKeywords() []keyword[*resolversSection] {
	hold := func(set func(*resolversSection, time.Duration)) func(*resolversSection, *args) {
		return func(r *resolversSection, a *args) {
			if d, ok := a.duration(0); ok {
				set(r, d)
			}
		}
	}
	return []keyword[*resolversSection]{
		{"accepted_payload_size", 0, false, Done, resolversPayload, "largest answer over UDP, default 512"},
		{"hold nx", 0, false, Done, hold(func(r *resolversSection, d time.Duration) { r.HoldNX = d }), "how long NXDOMAIN is ignored after a valid answer, default 30s"},
		{"hold obsolete", 0, false, Done, hold(func(r *resolversSection, d time.Duration) { r.HoldObsolete = d }), "how long an address that answers leave out stays, default 0"},
		{"hold other", 0, false, Done, hold(func(r *resolversSection, d time.Duration) { r.HoldOther = d }), "as hold nx, for all other bad answers"},
		{"hold refused", 0, false, Done, hold(func(r *resolversSection, d time.Duration) { r.HoldRefused = d }), "as hold nx, for REFUSED"},
		{"hold timeout", 0, false, Done, hold(func(r *resolversSection, d time.Duration) { r.HoldTimeout = d }), "as hold nx, for silence"},
		{"hold valid", 0, false, Done, hold(func(r *resolversSection, d time.Duration) { r.HoldValid = d }), "how long an answer serves do-resolve again, default 10s"},
		{"nameserver", 0, false, Done, resolversNameserver, "a name server, UDP or tcp@"},
		{"parse-resolv-conf", 0, false, Done, func(r *resolversSection, _ *args) { r.ResolvConf = true }, "the name servers of /etc/resolv.conf too"},
		{"resolve_retries", 0, false, Done, func(r *resolversSection, a *args) {
			r.Retries, _ = a.integer("a number of tries", 1, math.MaxInt32)
		}, "rounds of queries before a failure, default 3"},
		{"timeout resolve", 0, false, Done, func(r *resolversSection, a *args) { r.Resolve, _ = a.duration(time.Millisecond) }, "time between two resolutions, default 1s"},
		{"timeout retry", 0, false, Done, func(r *resolversSection, a *args) { r.Retry, _ = a.duration(time.Millisecond) }, "how long to wait for an answer, default 1s"},
	}
}

func newResolvers(name string) *spec.Resolvers {
	const hold = 30 * time.Second
	return &spec.Resolvers{
		Name: name, Payload: 512, Retries: 3, Resolve: time.Second, Retry: time.Second,
		HoldNX: hold, HoldRefused: hold, HoldTimeout: hold, HoldOther: hold, HoldValid: 10 * time.Second,
	}
}

func (l *lowerer) resolvers(s *conf.Section) {
	r := &resolversSection{Resolvers: newResolvers(""), names: make(map[string]conf.Word)}
	r.Pos = s.Keyword.Pos
	if len(s.Args) == 0 {
		l.errs.Errorf(s.Keyword.Pos, "", "'resolvers' expects a name")
	} else {
		if len(s.Args) > 1 {
			l.errs.Errorf(s.Args[1].Pos, "", "unexpected argument '%s'", s.Args[1].Text)
		}
		r.Name = s.Args[0].Text
		if bad := badNameByte(r.Name); bad != "" {
			l.errs.Errorf(s.Args[0].Pos, "letters, digits and - _ . : are allowed", "character '%s' is not permitted in resolvers name '%s'", bad, r.Name)
		}
		for _, o := range l.cfg.Resolvers {
			if o.Name == r.Name {
				l.errs.Errorf(s.Args[0].Pos, "", "resolvers '%s' has the same name as another one at %s", r.Name, o.Pos)
			}
		}
	}
	lines(l, s, resolversKeywords(), r, func(*keyword[*resolversSection], *args) bool { return true })
	if len(r.Servers) == 0 && !r.ResolvConf {
		l.errs.Warnf(s.Keyword.Pos, "add `nameserver NAME ADDRESS:53` or `parse-resolv-conf`", "resolvers '%s' has no name servers: nothing that points to it is ever resolved", r.Name)
	}
	l.cfg.Resolvers = append(l.cfg.Resolvers, l.promised(r.Resolvers))
}

// resolverRef is a resolvers section that a rule names before it is read.
type resolverRef struct {
	to  *spec.Resolvers
	pos diag.Pos
}

// namedResolvers is the section that a rule names, read already or not.
func (l *lowerer) namedResolvers(name string, at conf.Word) *spec.Resolvers {
	for _, r := range l.cfg.Resolvers {
		if r.Name == name {
			return r
		}
	}
	for _, r := range l.resolverRefs {
		if r.to.Name == name {
			return r.to
		}
	}
	r := resolverRef{&spec.Resolvers{Name: name}, at.Pos}
	l.resolverRefs = append(l.resolverRefs, r)
	return r.to
}

// promised puts a section that has been read where rules look for it.
func (l *lowerer) promised(r *spec.Resolvers) *spec.Resolvers {
	for _, ref := range l.resolverRefs {
		if ref.to.Name == r.Name {
			*ref.to = *r
			return ref.to
		}
	}
	return r
}

// checkResolverRefs refuses rules that name what is not there.
func (l *lowerer) checkResolverRefs() {
	for _, ref := range l.resolverRefs {
		if found, names := l.findResolvers(ref.to.Name); found == nil {
			l.errs.Errorf(ref.pos, didYouMean(ref.to.Name, names), "unable to find resolvers '%s' required by 'do-resolve'", ref.to.Name)
		}
	}
}

func resolversPayload(r *resolversSection, a *args) {
	r.Payload, _ = a.integer("a size in bytes", 512, 65535)
}

func resolversNameserver(r *resolversSection, a *args) {
	name, ok := a.need("<name> and <address>:<port>")
	if !ok {
		return
	}
	w, ok := a.need("<name> and <address>:<port>")
	if !ok {
		return
	}
	if first, twice := r.names[name.Text]; twice {
		a.fail(name, "", "nameserver '%s' is already declared at %s", name.Text, first.Pos)
	}
	r.names[name.Text] = name
	family, rest := cutFamily(w.Text)
	ns := spec.NameServer{Name: name.Text}
	switch family {
	case "tcp", "tcp4", "tcp6", "stream+ip", "stream+ipv4", "stream+ipv6":
		ns.TCP = true
	case "", "udp", "udp4", "udp6", "ip", "ipv4", "ipv6", "dgram+ip", "dgram+ipv4", "dgram+ipv6":
	default:
		a.fail(w, "write ADDRESS:PORT, or tcp@ADDRESS:PORT", "name server address '%s' is known, not supported yet", w.Text)
		return
	}
	host, port := splitHostPort(rest)
	addr, err := netip.ParseAddr(host)
	if err != nil {
		a.fail(w, "a name server has no name that could be resolved: write its IP address", "invalid name server address '%s'", w.Text)
		return
	}
	n, ok := parseInt(port, 1, math.MaxUint16)
	if !ok {
		a.fail(w, "the port of DNS is 53", "missing port specification in '%s'", w.Text)
		return
	}
	if a.more() {
		a.fail(a.words[a.i], "write the address alone", "parameter '%s' of a name server is known, not supported yet", a.peek())
	}
	ns.Addr = netip.AddrPortFrom(addr, uint16(n))
	r.Servers = append(r.Servers, ns)
}

// Server options of name resolution.

func serverResolvers(s *server, a *args) {
	if w, ok := a.next("the name of a resolvers section"); ok {
		s.resolvers = w
	}
}

func serverResolvePrefer(s *server, a *args) {
	if w, ok := a.next("ipv4 or ipv6"); ok {
		if w.Text != "ipv4" && w.Text != "ipv6" {
			a.fail(w, "", "'resolve-prefer' expects ipv4 or ipv6, not '%s'", w.Text)
		}
		s.naming.PreferIPv4 = w.Text == "ipv4"
	}
}

func serverResolveNet(s *server, a *args) {
	w, ok := a.next("networks, separated by commas")
	if !ok {
		return
	}
	s.naming.Nets = nil
	for net := range strings.SplitSeq(w.Text, ",") {
		p, err := netip.ParsePrefix(net)
		if err != nil {
			a.fail(w, "for example 10.0.0.0/8", "'resolve-net' has an invalid network '%s'", net)
			return
		}
		s.naming.Nets = append(s.naming.Nets, p.Masked())
	}
}

func serverResolveOpts(s *server, a *args) {
	w, ok := a.next("options, separated by commas")
	if !ok {
		return
	}
	for o := range strings.SplitSeq(w.Text, ",") {
		switch o {
		case "allow-dup-ip":
			s.naming.AllowDup = true
		case "prevent-dup-ip":
			s.naming.AllowDup = false
		case "ignore-weight":
			s.naming.IgnoreWeight = true
		default:
			a.fail(w, "allow-dup-ip, prevent-dup-ip or ignore-weight", "unknown resolve-opts option '%s'", o)
			return
		}
	}
}

func serverInitAddr(s *server, a *args) {
	w, ok := a.next("methods, separated by commas")
	if !ok {
		return
	}
	s.InitAddr = nil
	for m := range strings.SplitSeq(w.Text, ",") {
		i := spec.InitAddr{}
		switch m {
		case "last":
			i.Kind = spec.InitLast
		case "libc":
			i.Kind = spec.InitLibc
		case "none":
			i.Kind = spec.InitNone
		default:
			addr, err := netip.ParseAddr(m)
			if err != nil {
				a.fail(w, "last, libc, none or an IP address", "unknown init-addr method '%s'", m)
				return
			}
			i.Kind, i.Addr = spec.InitIP, addr.Unmap()
		}
		s.InitAddr = append(s.InitAddr, i)
	}
}

// linkResolvers points every server that names a resolvers section to it, whichever
// stands first. The section `default` exists also where nobody wrote it.
func (l *lowerer) linkResolvers(p *proxy) {
	for _, s := range p.servers {
		name := s.resolvers.Text
		if _, err := netip.ParseAddr(s.Host); name == "" || err == nil || s.Socket != "" {
			continue
		}
		found, names := l.findResolvers(name)
		if found == nil {
			l.errs.Errorf(s.resolvers.Pos, didYouMean(name, names), "unable to find resolvers '%s' required by server '%s'", name, s.Name)
			continue
		}
		n := s.naming
		n.Resolvers = found
		s.Naming = &n
	}
}

// findResolvers returns a section, or nil and the names of those that are there. There
// always is one called default.
func (l *lowerer) findResolvers(name string) (found *spec.Resolvers, names []string) {
	for _, r := range l.cfg.Resolvers {
		if names = append(names, r.Name); r.Name == name {
			return r, nil
		}
	}
	if name != "default" {
		return nil, names
	}
	found = newResolvers(name)
	found.ResolvConf = true
	found = l.promised(found)
	l.cfg.Resolvers = append(l.cfg.Resolvers, found)
	return found, nil
}

// parseServerTemplate reads `server-template PREFIX NUM|LOW-HIGH FQDN[:PORT] OPTIONS`:
// as many servers of one name.
func parseServerTemplate(p *proxy, a *args) {
	prefix, ok := a.need("<prefix>, <num | range> and <fqdn>[:<port>]")
	if !ok {
		return
	}
	count, ok := a.need("<prefix>, <num | range> and <fqdn>[:<port>]")
	if !ok {
		return
	}
	low, high, ok := templateRange(count.Text)
	if !ok {
		a.fail(count, "write a number, or a range like 1-3", "wrong server-template number or range '%s'", count.Text)
		return
	}
	first := a.i
	for n := low; n <= high && !a.failed; n++ {
		a.i = first
		name := prefix
		name.Text += strconv.Itoa(n)
		p.addServer(name, a)
		if s := p.servers[len(p.servers)-1]; n == low && !a.failed {
			if _, err := netip.ParseAddr(s.Host); err == nil || s.Socket != "" {
				a.fail(a.words[first], "use `server` for an address", "server-template expects a host name, not '%s'", s.Host)
			}
		}
	}
}

// templateMost bounds a template: each of its servers costs memory and checks.
const templateMost = 10000

func templateRange(s string) (low, high int, ok bool) {
	a, b, ranged := strings.Cut(s, "-")
	low, high = 1, 0
	if high, ok = parseInt(a, 1, templateMost); !ok || !ranged {
		return low, high, ok
	}
	low = high
	high, ok = parseInt(b, low, low+templateMost-1)
	return low, high, ok
}
