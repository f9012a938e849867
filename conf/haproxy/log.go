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

// logLine is one `log` line; global stands for all those of the global section, which
// may be extended after the proxy was read.
type logLine struct {
	global bool
	target spec.LogTarget
	ring   *ring // where it goes; nil: to target
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
	if t, ok := a.logTarget(p.l); ok {
		p.logs = append(p.logs, t)
	}
}

// resolveLogs puts the global targets where `log global` stands.
func (p *proxy) resolveLogs() []spec.LogTarget {
	var all []spec.LogTarget
	for _, l := range p.logs {
		if l.global {
			all = append(all, p.l.cfg.Global.Logs...)
		} else {
			all = append(all, l.targets()...)
		}
	}
	for i := range all {
		t := &all[i]
		t.Tag = cmp.Or(p.logTag, p.l.logTag)
		if t.Profile != nil && t.Profile.Tag != "" {
			t.Tag = t.Profile.Tag
		}
		if p.l.cfg.Global.SendHostname && t.Format == "" {
			t.Format = "rfc3164"
		}
		if t.Format == "local" {
			t.Format = ""
		}
	}
	return all
}

// targets are where the line goes: a ring may have several servers.
func (l *logLine) targets() []spec.LogTarget {
	if l.ring != nil {
		return l.ring.targets(l.target)
	}
	return []spec.LogTarget{l.target}
}

// logTarget reads `<address> [len N] [format F] [sample S] [profile P] <facility> [level [minlevel]]`.
func (a *args) logTarget(l *lowerer) (logLine, bool) {
	line := logLine{target: spec.LogTarget{Len: 1024, Level: len(levels) - 1}}
	t := &line.target
	line.ring = a.logAddress(l, t)
	for a.more() {
		if a.accept("len") {
			t.Len, _ = a.integer("a line length", 80, 65535)
		} else if a.accept("format") {
			if i := a.choice("log format", logFormats); i >= 0 {
				t.Format = logFormats[i]
			}
		} else if a.accept("sample") {
			t.Sample = a.logSample()
		} else if a.accept("profile") {
			if w, ok := a.next("the name of a log-profile"); ok {
				t.Profile = l.logProfile(w).LogProfile
			}
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
	return line, !a.failed
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
// path to a datagram socket, tcp@ and uxst@ streams, stdout, stderr or fd@N. A ring is
// returned.
func (a *args) logAddress(l *lowerer, t *spec.LogTarget) *ring {
	w, ok := a.next("<address> and <facility>")
	if !ok {
		return nil
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
	case family == "ring" && rest != "":
		name := w
		name.Text = rest
		return l.ring(name)
	case family == "backend":
		a.fail(w, "write a log line for each of its servers, with sample to share the lines out", "log address 'backend@' is known, not supported yet")
	case slices.Contains([]string{"sockpair", "abns"}, family):
		a.fail(w, "", "log address '%s@' is known, not supported yet", family)
	default:
		a.fail(w, "", "invalid log address '%s'", w.Text)
	}
	return nil
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
