package haproxy

import (
	"math"
	"net"
	"strconv"
	"time"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/spec"
)

// The ring sections of chapter 3.9: what the lines of `log ring@NAME` go through on
// their way to a syslog server over TCP.

// ring is a ring section while it is read, or one that a line has named before it was.
type ring struct {
	name     conf.Word // by the first line that names it, or its own
	declared bool
	pos      diag.Pos
	l        *lowerer

	format                  string
	maxlen, size            int
	connect, send           time.Duration
	connectGiven, sendGiven bool
	servers                 []ringServer
}

type ringServer struct {
	server
	octetCount bool
}

// ringSize is HAProxy's tune.bufsize.
const ringSize = 16384

var ringKeywords = []keyword[*ring]{
	{"backing-file", 0, false, Refused, nil, "a ring is memory alone here: its server keeps what it gets"},
	{"description", 0, false, Done, func(_ *ring, a *args) { a.text("a text") }, "a text for readers of the file"},
	{"format", 0, false, Done, ringFormat, "how its lines begin, default raw"},
	{"maxlen", 0, false, Done, func(r *ring, a *args) { r.maxlen, _ = a.integer("a line length", 80, 65535) }, "longest line, default 1024"},
	{"server", 0, false, Done, parseRingServer, "a syslog server over TCP; one per ring"},
	{"size", 0, false, Done, func(r *ring, a *args) { r.size, _ = a.integer("a size in bytes", 1024, math.MaxInt32) }, "bytes that wait while the server is slow or away, default 16384"},
	{"timeout connect", 0, false, Done, func(r *ring, a *args) { r.connect, r.connectGiven = a.duration(0) }, "longest attempt to connect"},
	{"timeout server", 0, false, Done, func(r *ring, a *args) { r.send, r.sendGiven = a.duration(0) }, "how long a write may wait for the server"},
}

var ringServerKeywords = []keyword[*ringServer]{
	{"log-proto", 0, false, Done, ringProto, "legacy: lines end with a line feed (default); octet-count: their length goes before them"},
}

// ring returns the ring of that name, which may be declared later.
func (l *lowerer) ring(name conf.Word) *ring {
	for _, r := range l.rings {
		if r.name.Text == name.Text {
			return r
		}
	}
	r := l.newRing(name)
	l.rings = append(l.rings, r)
	return r
}

func (l *lowerer) newRing(name conf.Word) *ring {
	return &ring{l: l, name: name, format: "raw", maxlen: 1024, size: ringSize}
}

func (l *lowerer) ringSection(s *conf.Section) {
	r := l.newRing(s.Keyword) // for the mistakes in its lines alone
	if name, ok := l.sectionName(s); ok {
		named := l.ring(name)
		if named.declared {
			l.errs.Errorf(name.Pos, "", "ring '%s' has the same name as another one at %s", name.Text, named.pos)
		} else {
			r = named
			r.declared, r.pos, r.name = true, s.Keyword.Pos, name
		}
	}
	before := l.errs.Errors()
	lines(l, s, ringKeywords, r, func(*keyword[*ring], *args) bool { return true })
	if l.errs.Errors() > before || !r.declared {
		return
	}
	if len(r.servers) == 0 {
		l.errs.Errorf(s.Keyword.Pos, "add `server NAME ADDRESS:PORT`", "ring '%s' has no server: a ring that is read by the command line alone is known, not supported yet", r.name.Text)
		return
	}
	var missing []string
	if !r.connectGiven || r.connect == 0 {
		missing = append(missing, "connect")
	}
	if !r.sendGiven || r.send == 0 {
		missing = append(missing, "server")
	}
	if len(missing) > 0 {
		l.errs.Warnf(s.Keyword.Pos, "without them a server that goes silent is kept for ever", "missing timeouts for ring '%s': set %s to a non-zero value", r.name.Text, quoted(missing))
	}
}

func ringFormat(r *ring, a *args) {
	if i := a.choice("log format", logFormats); i >= 0 {
		r.format = logFormats[i]
	}
}

func parseRingServer(r *ring, a *args) {
	name, ok := a.next("<name> and <address>:<port>")
	if !ok {
		return
	}
	s := ringServer{}
	s.Name = name.Text
	for _, o := range r.servers {
		if o.Name == s.Name {
			a.fail(name, "", "server '%s' of ring '%s' is already declared", s.Name, r.name.Text)
		}
	}
	a.serverAddress(&s.server)
	if !a.failed && s.Socket != "" {
		a.fail(a.words[0], "write ADDRESS:PORT, or log to the socket itself: `log FILE`", "server '%s' of a ring is on a unix socket, which is known, not supported yet", s.Name)
	}
	if !a.failed && s.Host == "0.0.0.0" {
		a.fail(a.words[0], "name the server's address", "there is no client whose destination server '%s' could be", s.Name)
	}
	if !a.failed && s.Port == 0 {
		a.fail(a.last(), "write ADDRESS:PORT", "server '%s' has no port", s.Name)
	}
	for a.more() {
		if k, _ := find(ringServerKeywords, a.words[a.i:a.i+1]); k != nil {
			a.i++
			k.run(&s, a)
			continue
		}
		if k, _ := find(serverKeywords, a.words[a.i:a.i+1]); k != nil {
			a.fail(a.words[a.i], "remove it", "'%s' for the server of a ring is known, not supported yet", k.name)
			return
		}
		a.fail(a.words[a.i], "log-proto legacy or octet-count", "unknown server option '%s' in a ring", a.peek())
	}
	if !a.failed {
		r.servers = append(r.servers, s)
	}
}

func ringProto(s *ringServer, a *args) {
	switch w, ok := a.next("legacy or octet-count"); {
	case !ok, w.Text == "legacy":
	case w.Text == "octet-count":
		s.octetCount = true
	default:
		a.fail(w, "legacy or octet-count", "unknown log protocol '%s'", w.Text)
	}
}

// targets are what a log line to the ring comes to: each server gets it. The ring's
// format goes before the line's, as in HAProxy.
func (r *ring) targets(t spec.LogTarget) []spec.LogTarget {
	var all []spec.LogTarget
	for _, s := range r.servers {
		one := t
		one.Kind, one.Address = spec.LogStream, net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port)))
		one.Format = r.format
		one.Ring = &spec.Ring{Name: r.name.Text, Server: s.Name, Size: r.size, MaxLen: r.maxlen, Connect: r.connect, Send: r.send, OctetCount: s.octetCount}
		all = append(all, one)
	}
	return all
}

// checkRings refuses names without a section.
func (l *lowerer) checkRings() {
	var names []string
	for _, r := range l.rings {
		if r.declared {
			names = append(names, r.name.Text)
		}
	}
	for _, r := range l.rings {
		if !r.declared {
			l.errs.Errorf(r.name.Pos, didYouMean(r.name.Text, names), "unable to find ring '%s'", r.name.Text)
		}
	}
}
