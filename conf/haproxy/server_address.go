package haproxy

import (
	"math"
	"path"
	"strings"

	"baton/conf"
	"baton/lb/spec"
)

// serverAddress reads ADDRESS[:PORT] or the name of a unix socket. Without a port, or with
// 0.0.0.0, also written * or left out, a connection goes where the client wanted to go.
func (a *args) serverAddress(s *server) {
	w, ok := a.need("<name> and <address>[:<port>]")
	if !ok {
		return
	}
	family, rest := cutFamily(strings.TrimPrefix(w.Text, "stream+"))
	if family == "" && strings.HasPrefix(rest, "/") {
		family = "unix"
	}
	host, port := splitHostPort(rest)
	switch family {
	case "unix", "abns", "abnsz":
		a.serverSocket(s, family, rest, w)
		return
	case "", "ipv4", "ipv6", "tcp", "tcp4", "tcp6":
	default:
		a.fail(w, "prefixes are ipv4@, ipv6@, tcp@, unix@, abns@ and abnsz@", "server address '%s' is known, not supported yet", w.Text)
	}
	switch {
	case strings.HasPrefix(port, "+") || strings.HasPrefix(port, "-"):
		a.fail(w, "write the port itself", "port offset '%s' is known, not supported yet", port)
	}
	if host == "*" || host == "" {
		host = "0.0.0.0"
	}
	n := 0
	if port != "" {
		if n, ok = parseInt(port, 0, math.MaxUint16); !ok {
			a.fail(w, ipv6Hint(w.Text), "invalid port '%s' in '%s'", port, w.Text)
		}
	}
	if !validHost(host) || !familyFits(family, host) {
		a.fail(w, ipv6Hint(w.Text), "invalid address '%s' in '%s'", host, w.Text)
	}
	s.Host, s.Port = host, uint16(n)
}

// serverSocket reads the name of a unix socket. A port would mean nothing there: a colon
// belongs to the name.
func (a *args) serverSocket(s *server, family, name string, w conf.Word) {
	problem := tooLong(name, maxSunName)
	switch {
	case name == "":
		a.fail(w, "write "+family+"@NAME", "missing name of the socket in '%s'", w.Text)
	case problem != "":
		a.fail(w, "", "the name of the socket in '%s' is too long: %s", w.Text, problem)
	case family == "unix":
		s.Host, s.Socket = "unix@"+name, name
	default:
		s.Host, s.Socket = family+"@"+name, spec.AbstractSocket(name, family == "abns")
	}
}

func parseChroot(l *lowerer, a *args) {
	if w, ok := a.next("a folder"); ok {
		l.chroot = w.Text
	}
}

// jailSockets puts the folder of `chroot` before the paths of servers' sockets: HAProxy
// connects from within, so that is where they are. What it does before, such as binding,
// knows no jail.
func (l *lowerer) jailSockets(p *proxy) {
	if l.chroot == "" {
		return
	}
	for _, s := range p.servers {
		if s.Socket == "" || s.Socket[0] == 0 {
			continue
		}
		s.Socket = path.Join(l.chroot, s.Socket)
		if problem := tooLong(s.Socket, maxSunName); problem != "" {
			l.errs.Errorf(s.Pos, "", "the socket of server '%s' is %s by `chroot`, which is too long: %s", s.Name, s.Socket, problem)
		}
	}
}
