package haproxy

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"baton/conf"
	"baton/lb/spec"
)

const defaultInter = 2 * time.Second // chapter 5.2, inter

// server is a server line, or the presets of default-server lines.
type server struct {
	spec.Server
	checked bool // `check` was given; the settings below may come from default-server alone
	check   spec.Check
	track   conf.Word // `track`, as written
	tracked *server   // whom that names
	broken  bool      // its line holds an error
	agent   spec.Agent
	agents  bool // `agent-check` was given

	observed conf.Word // `observe`

	sendProxy sendProxyLine

	proto, checkProto conf.Word // as written

	resolvers conf.Word // the section that `resolvers` names
	naming    spec.Naming
}

// build fills in what chapter 5.2 derives: fastinter and downinter are inter
// where they were not given.
func (s *server) build() *spec.Server {
	out := s.Server
	out.SendProxy = s.sendProxy.build()
	if s.checked {
		c := s.check
		if c.FastInter == 0 {
			c.FastInter = c.Inter
		}
		if c.DownInter == 0 {
			c.DownInter = c.Inter
		}
		if c.Observe == spec.LayerNone {
			c.ErrorLimit = 0
		}
		out.Check = &c
	}
	if s.agents {
		a := s.agent
		out.Agent = &a
	}
	return &out
}

// serverKeywords are the server and default-server options of chapter 5.2.
var serverKeywords = slices.Concat(serverCheckKeywords, []keyword[*server]{
	{"addr", 0, false, Done, serverAddr, "address to send checks to"},
	{"allow-0rtt", 0, false, Refused, nil, tlsHint},
	{"alpn", 0, false, Refused, nil, tlsHint},
	{"backup", 0, false, Done, func(s *server, _ *args) { s.Backup = true }, "used when no other server is left"},
	{"ca-file", 0, false, Refused, nil, tlsHint},
	{"check", 0, false, Done, func(s *server, _ *args) { s.checked = true }, "health checks"},
	{"check-alpn", 0, false, Refused, nil, tlsHint},
	{"check-proto", 0, false, Done, serverCheckProto, "h1 for HTTP checks, none for others: what is spoken as it is"},
	{"check-send-proxy", 0, false, Done, func(s *server, _ *args) { s.CheckProxy = true }, "checks begin with a PROXY header too, also at another port or address"},
	{"check-sni", 0, false, Refused, nil, tlsHint},
	{"check-ssl", 0, false, Refused, nil, tlsHint},
	{"check-via-socks4", 0, false, Refused, nil, "connections are never made through a SOCKS4 proxy"},
	{"ciphers", 0, false, Refused, nil, tlsHint},
	{"ciphersuites", 0, false, Refused, nil, tlsHint},
	{"cookie", 0, false, Done, serverCookie, "the persistence cookie's value for this server"},
	{"crl-file", 0, false, Refused, nil, tlsHint},
	{"crt", 0, false, Refused, nil, tlsHint},
	{"disabled", 0, false, Done, func(s *server, _ *args) { s.Disabled = true }, "starts in maintenance"},
	{"downinter", 0, false, Done, serverDownInter, "check interval while down"},
	{"enabled", 0, false, Done, func(s *server, _ *args) { s.Disabled = false }, "undoes `disabled` of default-server"},
	{"fall", 0, false, Done, serverFall, "failed checks that take the server down, default 3"},
	{"fastinter", 0, false, Done, serverFastInter, "check interval while changing"},
	{"force-sslv3", 0, false, Refused, nil, tlsHint},
	{"force-tlsv10", 0, false, Refused, nil, tlsHint},
	{"force-tlsv11", 0, false, Refused, nil, tlsHint},
	{"force-tlsv12", 0, false, Refused, nil, tlsHint},
	{"force-tlsv13", 0, false, Refused, nil, tlsHint},
	{"hash-key", 0, false, Done, serverHashKey, "id: servers lie on the ring by their id; addr and addr-port are not supported"},
	{"id", 0, false, Done, serverID, "numeric identifier"},
	{"init-addr", 0, false, Done, serverInitAddr, "where the first address comes from, default last,libc"},
	{"inter", 0, false, Done, serverInter, "check interval, default 2s"},
	{"log-proto", 0, false, Refused, nil, "it belongs to the servers of ring sections"},
	{"max-reuse", 0, false, Done, serverMaxReuse, "how often a connection is used again, default -1: no limit"},
	{"maxconn", 0, false, Done, serverMaxconn, "most connections at a time"},
	{"maxqueue", 0, false, Done, serverMaxqueue, "most requests in the server's own queue"},
	{"minconn", 0, false, Done, serverMinconn, "least limit of connections, below fullconn"},
	{"namespace", 0, false, Refused, nil, namespaceHint},
	{"no-backup", 0, false, Done, func(s *server, _ *args) { s.Backup = false }, "undoes `backup` of default-server"},
	{"no-check", 0, false, Done, func(s *server, _ *args) { s.checked = false }, "undoes `check` of default-server"},
	{"no-check-ssl", 0, false, Done, undoNothing, "nothing to undo: no TLS yet"},
	{"no-send-proxy", 0, false, Done, noSendProxy(1, false), "undoes `send-proxy` of default-server"},
	{"no-send-proxy-v2", 0, false, Done, noSendProxy(2, false), "undoes `send-proxy-v2` of default-server"},
	{"no-send-proxy-v2-ssl", 0, false, Done, noSendProxy(2, true), "undoes `send-proxy-v2-ssl` of default-server"},
	{"no-send-proxy-v2-ssl-cn", 0, false, Done, noSendProxy(2, true), "undoes `send-proxy-v2-ssl-cn` of default-server"},
	{"no-ssl", 0, false, Done, undoNothing, "nothing to undo: no TLS yet"},
	{"no-ssl-reuse", 0, false, Refused, nil, tlsHint},
	{"no-sslv3", 0, false, Refused, nil, tlsHint},
	{"no-tfo", 0, false, Done, undoNothing, "nothing to undo: TCP fast open is not used"},
	{"no-tls-tickets", 0, false, Refused, nil, tlsHint},
	{"no-tlsv10", 0, false, Refused, nil, tlsHint},
	{"no-tlsv11", 0, false, Refused, nil, tlsHint},
	{"no-tlsv12", 0, false, Refused, nil, tlsHint},
	{"no-tlsv13", 0, false, Refused, nil, tlsHint},
	{"no-verifyhost", 0, false, Refused, nil, tlsHint},
	{"non-stick", 0, false, Refused, nil, "no stick tables yet"},
	{"npn", 0, false, Refused, nil, tlsHint},
	{"on-marked-down", 0, false, Done, serverMarkedDown, "shutdown-sessions: sessions with the server end when it goes down"},
	{"on-marked-up", 0, false, Done, serverMarkedUp, "shutdown-backup-sessions: sessions with backups end when the server comes up"},
	{"pool-low-conn", 0, false, Warned, serverPool, "idle connections belong to one event loop each"},
	{"pool-max-conn", 0, false, Done, serverPoolMax, "idle connections to keep, default -1: no limit"},
	{"pool-purge-delay", 0, false, Done, serverPoolFor, "how long an idle connection is kept, default 5s"},
	{"port", 0, false, Done, serverPort, "port to send checks to"},
	{"proto", 0, false, Done, serverProto, "h1 in mode http, none in mode tcp: what is spoken as it is"},
	{"proxy-v2-options", 0, false, Done, serverProxyOptions, "crc32c, authority, unique-id, ssl and its kin"},
	{"redir", 0, false, Done, serverRedir, "GET and HEAD requests are redirected to a prefix and their path"},
	{"resolve-net", 0, false, Done, serverResolveNet, "networks whose addresses are preferred"},
	{"resolve-opts", 0, false, Done, serverResolveOpts, "allow-dup-ip, ignore-weight"},
	{"resolve-prefer", 0, false, Done, serverResolvePrefer, "the family that is asked for first, default ipv6"},
	{"resolvers", 0, false, Done, serverResolvers, "follows the name by DNS at run time"},
	{"rise", 0, false, Done, serverRise, "good checks that bring the server up, default 2"},
	{"send-proxy", 0, false, Done, sendProxy(1, false), "PROXY protocol header, version 1"},
	{"send-proxy-v2", 0, false, Done, sendProxy(2, false), "PROXY protocol header, version 2"},
	{"send-proxy-v2-ssl", 0, false, Done, sendProxy(2, true), "version 2 with the SSL extension"},
	{"send-proxy-v2-ssl-cn", 0, false, Done, sendProxy(2, true), "version 2 with the SSL extension"},
	{"slowstart", 0, false, Done, serverSlowStart, "time to full load after a failure"},
	{"sni", 0, false, Refused, nil, tlsHint},
	{"socks4", 0, false, Refused, nil, "no SOCKS: connect to the server itself"},
	{"source", 0, false, Done, serverSource, "address or interface that connections to it come from"},
	{"ssl", 0, false, Refused, nil, tlsHint},
	{"ssl-max-ver", 0, false, Refused, nil, tlsHint},
	{"ssl-min-ver", 0, false, Refused, nil, tlsHint},
	{"ssl-reuse", 0, false, Refused, nil, tlsHint},
	{"stick", 0, false, Refused, nil, "no stick tables yet"},
	{"tcp-ut", 0, false, Done, serverUserTimeout, "time without an acknowledgement before a connection is given up"},
	{"tfo", 0, false, Warned, nil, "connections are opened without TCP fast open"},
	{"tls-tickets", 0, false, Refused, nil, tlsHint},
	{"track", 0, false, Done, serverTrack, "health of another server stands for this one's"},
	{"verify", 0, false, Refused, nil, tlsHint},
	{"verifyhost", 0, false, Refused, nil, tlsHint},
	{"weight", 0, false, Done, serverWeight, "share of the load, 0 to 256, default 1"},
	{"ws", 0, false, Done, serverWebSockets, "auto, h1: websockets begin as HTTP/1"},
})

func undoNothing(*server, *args) {}

func serverWeight(s *server, a *args) { s.Weight, _ = a.integer("a weight", 0, 256) }

func serverMaxconn(s *server, a *args) {
	s.Maxconn, _ = a.integer("a number of connections", 0, math.MaxInt32)
}

func serverMaxqueue(s *server, a *args) {
	s.Maxqueue, _ = a.integer("a number of requests", 0, math.MaxInt32)
}

// serverHashKey takes `id` alone: where an address puts a server is not known.
func serverHashKey(_ *server, a *args) {
	keys := []string{"id", "addr", "addr-port"}
	switch w, ok := a.next("'id'"); {
	case !ok, w.Text == "id":
	case slices.Contains(keys, w.Text):
		a.fail(w, "use `hash-key id`", "'hash-key %s' is known, not supported yet", w.Text)
	default:
		a.fail(w, didYouMean(w.Text, keys), "unknown hash key '%s'", w.Text)
	}
}

func serverMarkedDown(s *server, a *args) { s.KillOnDown = a.sole("shutdown-sessions") }

func serverMarkedUp(s *server, a *args) { s.KillBackupsOnUp = a.sole("shutdown-backup-sessions") }

// sole reads the one action that a word can name.
func (a *args) sole(action string) bool {
	w, ok := a.next("'" + action + "'")
	if ok && w.Text != action {
		a.fail(w, "the one action is '"+action+"'", "unknown action '%s'", w.Text)
	}
	return !a.failed
}

func serverMinconn(s *server, a *args) {
	s.Minconn, _ = a.integer("a number of connections", 0, math.MaxInt32)
}

func serverSlowStart(s *server, a *args) { s.SlowStart, _ = a.duration(0) }

func serverTrack(s *server, a *args) {
	if w, ok := a.next("[<backend>/]<server>"); ok {
		s.track = w
	}
}

func serverID(s *server, a *args) { s.ID, _ = a.integer("an identifier", 1, math.MaxInt32) }

func serverPool(_ *server, a *args) { a.integer("a number of connections", 0, math.MaxInt32) }

func serverPoolMax(s *server, a *args) {
	n, _ := a.integer("a number of connections, or -1 for no limit", -1, math.MaxInt32)
	s.NoPool, s.PoolMax = n == 0, max(n, 0)
}

func serverPoolFor(s *server, a *args) {
	d, ok := a.duration(0)
	s.PoolFor, s.NoPool = d, s.NoPool || ok && d == 0
}

func serverMaxReuse(s *server, a *args) {
	n, _ := a.integer("a number of times, or -1 for no limit", -1, math.MaxInt32-1)
	s.MostRequests = n + 1
}

func serverRise(s *server, a *args) {
	s.check.Rise, _ = a.integer("a number of checks", 1, math.MaxInt32)
}

func serverFall(s *server, a *args) {
	s.check.Fall, _ = a.integer("a number of checks", 1, math.MaxInt32)
}

func serverInter(s *server, a *args) { s.check.Inter, _ = a.duration(time.Millisecond) }

func serverFastInter(s *server, a *args) { s.check.FastInter, _ = a.duration(time.Millisecond) }

func serverDownInter(s *server, a *args) { s.check.DownInter, _ = a.duration(time.Millisecond) }

func serverPort(s *server, a *args) {
	port, _ := a.integer("a port", 1, math.MaxUint16)
	s.check.Port = uint16(port)
}

func serverAddr(s *server, a *args) {
	if w, ok := a.next("an IP address"); ok {
		addr, err := netip.ParseAddr(w.Text)
		if err != nil || addr.Zone() != "" {
			a.fail(w, "write an IP address", "invalid check address '%s'", w.Text)
		}
		s.check.Addr = addr
	}
}

func parseDefaultServer(p *proxy, a *args) {
	if !a.more() {
		a.fail(a.last(), "", "'default-server' expects options")
	}
	readOptions(a, serverKeywords, &p.server, "server option")
}

func parseServer(p *proxy, a *args) {
	if name, ok := a.next("<name> and <address>[:<port>]"); ok {
		p.addServer(name, a)
	}
}

// addServer reads the rest of a server line.
func (p *proxy) addServer(name conf.Word, a *args) {
	s := p.server
	s.Name, s.Pos = name.Text, name.Pos
	if bad := badNameByte(name.Text); bad != "" {
		a.fail(name, "letters, digits and - _ . : are allowed", "character '%s' is not permitted in server name '%s'", bad, name.Text)
	}
	if first, twice := p.serverNames[name.Text]; twice {
		a.fail(name, "", "server '%s' of %s '%s' is already declared at %s", name.Text, p.word, p.name.Text, first)
	} else {
		p.serverNames[name.Text] = name.Pos
	}
	bad := a.failed
	a.failed = false
	a.serverAddress(&s)
	a.failed = a.failed || bad
	readOptions(a, serverKeywords, &s, "server option")
	if s.Socket != "" && (s.UserTimeout != p.server.UserTimeout || s.Source != p.server.Source) {
		a.errs.Warnf(name.Pos, "remove it", "'source' and 'tcp-ut' have no effect: server '%s' is on a unix socket", name.Text)
	}
	service := strings.HasPrefix(s.Host, "_") // an SRV name: the records tell the ports
	if !a.failed && service && s.resolvers.Text == "" {
		a.fail(name, "add `resolvers NAME`", "server '%s' has a service name (SRV), which only a resolvers section can look up", name.Text)
	}
	s.broken = a.failed
	p.servers = append(p.servers, &s)
}
