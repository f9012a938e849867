package haproxy

import (
	"cmp"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"

	"baton/lb/spec"
)

// logLine is one `log` line of a proxy; global stands for all those of the
// global section, which may be extended after the proxy was read.
type logLine struct {
	global bool
	target spec.LogTarget
}

// The positions in these tables are the numbers of RFC 5424 section 6.2.1;
// HAProxy's names for some facilities differ from syslog's.
var (
	facilities = []string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
		"uucp", "cron", "auth2", "ftp", "ntp", "audit", "alert", "cron2",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
	levels     = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
	logFormats = []string{"local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"}
)

func parseProxyLog(p *proxy, a *args) {
	if a.no {
		p.logs = nil
		return
	}
	if a.accept("global") {
		if slices.ContainsFunc(p.logs, func(l logLine) bool { return l.global }) {
			return
		}
		p.logs = append(p.logs, logLine{global: true})
		return
	}
	if t, ok := a.logTarget(); ok {
		p.logs = append(p.logs, logLine{target: t})
	}
}

// resolveLogs puts the global targets where `log global` stands.
func (p *proxy) resolveLogs() []spec.LogTarget {
	var all []spec.LogTarget
	for _, l := range p.logs {
		if l.global {
			all = append(all, p.l.cfg.Global.Logs...)
		} else {
			all = append(all, l.target)
		}
	}
	for i := range all {
		all[i].Tag = cmp.Or(p.logTag, p.l.logTag)
		if p.l.cfg.Global.SendHostname && all[i].Format == "" {
			all[i].Format = "rfc3164"
		}
		if all[i].Format == "local" {
			all[i].Format = ""
		}
	}
	return all
}

// logTarget reads `<address> [len N] [format F] <facility> [level [minlevel]]`.
func (a *args) logTarget() (spec.LogTarget, bool) {
	t := spec.LogTarget{Len: 1024, Level: len(levels) - 1}
	a.logAddress(&t)
	for a.more() {
		if a.accept("len") {
			t.Len, _ = a.integer("a line length", 80, 65535)
		} else if a.accept("format") {
			if i := a.choice("log format", logFormats); i >= 0 {
				t.Format = logFormats[i]
			}
		} else if a.accept("sample") {
			t.Sample = a.logSample()
		} else if a.peek() == "profile" {
			a.fail(a.words[a.i], "", "'profile' is known, not supported yet")
		} else {
			break
		}
	}
	if !a.more() {
		a.need("<address> and <facility>")
	}
	t.Facility = a.choice("log facility", facilities)
	if a.more() {
		t.Level = a.choice("log level", levels)
	}
	if a.more() {
		t.MinLevel = a.choice("log level", levels)
	}
	return t, !a.failed
}

// choice reads one of the words in names and returns its index, or -1.
func (a *args) choice(what string, names []string) int {
	w, ok := a.next("a " + what)
	if !ok {
		return -1
	}
	i := slices.Index(names, w.Text)
	if i < 0 {
		hint := didYouMean(w.Text, names)
		if hint == "" {
			hint = "one of: " + strings.Join(names, ", ")
		}
		a.fail(w, hint, "unknown %s '%s'", what, w.Text)
	}
	return i
}

// logAddress reads where a log goes: an address with UDP port 514 by default, a
// path to a datagram socket, tcp@ and uxst@ streams, stdout, stderr or fd@N.
func (a *args) logAddress(t *spec.LogTarget) {
	w, ok := a.next("<address> and <facility>")
	if !ok {
		return
	}
	family, rest := cutFamily(w.Text)
	switch {
	case w.Text == "global":
		a.fail(w, "", "'log global' is not supported for the global section itself")
	case w.Text == "stdout":
		t.Kind, t.FD = spec.LogFD, 1
	case w.Text == "stderr":
		t.Kind, t.FD = spec.LogFD, 2
	case family == "fd":
		t.Kind = spec.LogFD
		if t.FD, ok = parseInt(rest, 0, math.MaxInt32); !ok {
			a.fail(w, "", "file descriptor '%s' is not a valid integer in '%s'", rest, w.Text)
		}
	case family == "" && strings.HasPrefix(rest, "/"), family == "unix", family == "uxdg":
		t.Kind, t.Address = spec.LogUnix, rest
	case family == "uxst":
		t.Kind, t.Address = spec.LogUnixStream, rest
	case slices.Contains([]string{"tcp", "tcp4", "tcp6", "", "udp", "udp4", "udp6", "ipv4", "ipv6"}, family):
		host, port := splitHostPort(rest)
		if _, ok := parseInt(port, 1, math.MaxUint16); !ok && port != "" {
			a.fail(w, ipv6Hint(rest), "invalid port '%s' in '%s'", port, w.Text)
		}
		if !validHost(host) || !familyFits(family, host) {
			a.fail(w, ipv6Hint(rest), "invalid address '%s' in '%s'", host, w.Text)
		}
		if port == "" {
			port = "514"
		}
		t.Address = net.JoinHostPort(host, port)
		if strings.HasPrefix(family, "tcp") {
			t.Kind = spec.LogStream
		}
	case slices.Contains([]string{"ring", "sockpair", "abns"}, family):
		a.fail(w, "", "log address '%s@' is known, not supported yet", family)
	default:
		a.fail(w, "", "invalid log address '%s'", w.Text)
	}
}

// familyFits tells whether a literal address is of the family that its prefix forces.
func familyFits(family, host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return true
	}
	return !(strings.HasSuffix(family, "4") && !addr.Is4() || strings.HasSuffix(family, "6") && addr.Is4())
}

// ipv6Hint is for a bare IPv6 address without a port, whose last group is taken
// for one.
func ipv6Hint(s string) string {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Is6() {
		return "the port is what follows the last colon; write [" + s + "] for the address alone"
	}
	return ""
}
