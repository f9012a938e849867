package haproxy

import (
	"math"

	"baton/lb/spec"
)

// bindLine is one `bind` line: its addresses share the options.
type bindLine struct {
	single bool // one socket alone, which can have an id
	unix   bool // a unix socket is among them
	name   string
	v6only bool

	maxconn     int
	acceptProxy bool
	tcp         spec.BindTCP
	file        spec.SocketFile
}

const tlsHint = "no TLS yet"

const namespaceHint = "run a process in the namespace: NetworkNamespacePath= of its unit, or ip netns exec"

// bindKeywords are the bind options of chapter 5.1.
var bindKeywords = []keyword[*bindLine]{
	{"accept-netscaler-cip", 0, false, Refused, nil, "let the appliance send a PROXY header and write accept-proxy"},
	{"accept-proxy", 0, false, Done, func(b *bindLine, _ *args) { b.acceptProxy = true }, "connections must begin with a PROXY header, version 1 or 2"},
	{"allow-0rtt", 0, false, Refused, nil, tlsHint},
	{"alpn", 0, false, Refused, nil, tlsHint},
	{"backlog", 0, false, Done, bindBacklog, "hint for the kernel's queue of connections not accepted yet"},
	{"ca-file", 0, false, Refused, nil, tlsHint},
	{"ca-ignore-err", 0, false, Refused, nil, tlsHint},
	{"ca-sign-file", 0, false, Refused, nil, tlsHint},
	{"ca-sign-pass", 0, false, Refused, nil, tlsHint},
	{"ca-verify-file", 0, false, Refused, nil, tlsHint},
	{"ciphers", 0, false, Refused, nil, tlsHint},
	{"ciphersuites", 0, false, Refused, nil, tlsHint},
	{"crl-file", 0, false, Refused, nil, tlsHint},
	{"crt", 0, false, Refused, nil, tlsHint},
	{"crt-ignore-err", 0, false, Refused, nil, tlsHint},
	{"crt-list", 0, false, Refused, nil, tlsHint},
	{"curves", 0, false, Refused, nil, tlsHint},
	{"defer-accept", 0, false, Done, func(b *bindLine, _ *args) { b.tcp.Defer = true }, "a connection counts from its first data on"},
	{"ecdhe", 0, false, Refused, nil, tlsHint},
	{"expose-fd", 0, false, Refused, nil, "there is no runtime API yet"},
	{"force-sslv3", 0, false, Refused, nil, tlsHint},
	{"force-tlsv10", 0, false, Refused, nil, tlsHint},
	{"force-tlsv11", 0, false, Refused, nil, tlsHint},
	{"force-tlsv12", 0, false, Refused, nil, tlsHint},
	{"force-tlsv13", 0, false, Refused, nil, tlsHint},
	{"generate-certificates", 0, false, Refused, nil, tlsHint},
	{"gid", 0, false, Done, bindGID, "group of the unix socket, by number"},
	{"group", 0, false, Done, bindGroup, "group of the unix socket, by name"},
	{"id", 0, false, Done, bindID, "numeric identifier of the socket"},
	{"interface", 0, false, Done, bindInterface, "the network interface that clients come by"},
	{"level", 0, false, Refused, nil, "there is no runtime API yet"},
	{"maxconn", 0, false, Done, bindMaxconn, "most connections at a time through each socket of the line"},
	{"mode", 0, false, Done, bindMode, "permissions of the unix socket, in octal"},
	{"mss", 0, false, Done, bindMSS, "largest TCP segment; negative: so much less than the client offers"},
	{"name", 0, false, Done, bindName, "name for logs and status"},
	{"namespace", 0, false, Refused, nil, namespaceHint},
	{"nice", 0, false, Warned, bindNice, "all listeners have one priority"},
	{"no-ca-names", 0, false, Refused, nil, tlsHint},
	{"no-sslv3", 0, false, Refused, nil, tlsHint},
	{"no-tls-tickets", 0, false, Refused, nil, tlsHint},
	{"no-tlsv10", 0, false, Refused, nil, tlsHint},
	{"no-tlsv11", 0, false, Refused, nil, tlsHint},
	{"no-tlsv12", 0, false, Refused, nil, tlsHint},
	{"no-tlsv13", 0, false, Refused, nil, tlsHint},
	{"npn", 0, false, Refused, nil, tlsHint},
	{"prefer-client-ciphers", 0, false, Refused, nil, tlsHint},
	{"process", 0, false, Warned, bindSet, "every event loop serves every listener"},
	{"proto", 0, false, Refused, nil, "HTTP/1 is the only protocol yet"},
	{"quic-cc-algo", 0, false, Refused, nil, "no QUIC"},
	{"quic-force-retry", 0, false, Refused, nil, "no QUIC"},
	{"severity-output", 0, false, Refused, nil, "there is no runtime API yet"},
	{"shards", 0, false, Warned, bindSet, "every event loop has its own listening socket"},
	{"ssl", 0, false, Refused, nil, tlsHint},
	{"ssl-max-ver", 0, false, Refused, nil, tlsHint},
	{"ssl-min-ver", 0, false, Refused, nil, tlsHint},
	{"strict-sni", 0, false, Refused, nil, tlsHint},
	{"tcp-ut", 0, false, Done, bindUserTimeout, "time without an acknowledgement before a client is given up"},
	{"tfo", 0, false, Done, func(b *bindLine, _ *args) { b.tcp.FastOpen = true }, "TCP fast open"},
	{"thread", 0, false, Warned, bindSet, "every event loop serves every listener"},
	{"tls-ticket-keys", 0, false, Refused, nil, tlsHint},
	{"transparent", 0, false, Done, func(b *bindLine, _ *args) { b.tcp.Transparent = true }, "accept connections to addresses that are not this host's (needs CAP_NET_ADMIN)"},
	{"uid", 0, false, Done, bindUID, "owner of the unix socket, by number"},
	{"user", 0, false, Done, bindUser, "owner of the unix socket, by name"},
	{"v4v6", 0, false, Done, bindV4V6, "an IPv6 wildcard also takes IPv4, which is the default"},
	{"v6only", 0, false, Done, bindV6Only, "an IPv6 wildcard takes IPv6 alone"},
	{"verify", 0, false, Refused, nil, tlsHint},
}

func bindName(b *bindLine, a *args) {
	if w, ok := a.next("a name"); ok {
		b.name = w.Text
	}
}

func bindID(b *bindLine, a *args) {
	if a.integer("an identifier", 1, math.MaxInt32); !b.single {
		a.fail(a.words[a.start-1], "", "'id' can only be used with a single socket")
	}
}

func bindNice(_ *bindLine, a *args) { a.integer("a priority", -1024, 1024) }

func bindSet(_ *bindLine, a *args) { a.next("a number or set") }

// bindV4V6 has nothing to do: it is the default and v6only overrides it.
func bindV4V6(*bindLine, *args) {}

func bindV6Only(b *bindLine, _ *args) { b.v6only = true }

// readOptions reads the options after a bind address or a server, all of them:
// after a refused or unknown one it goes on with the next word that is an option.
func readOptions[T any](a *args, table []keyword[T], target T, what string) {
	failed := a.failed
	for a.i < len(a.words) {
		rest := a.words[a.i:]
		k, n := find(table, rest[:1])
		if k == nil {
			var names []string
			for i := range table {
				names = append(names, table[i].name)
			}
			a.errs.Errorf(rest[0].Pos, didYouMean(rest[0].Text, names), "unknown %s '%s'", what, rest[0].Text)
			failed = true
			a.i++
			skipValues(a, table)
			continue
		}
		o := &args{words: a.words, i: a.i + n, errs: a.errs, option: true}
		k.run(target, o)
		a.i = o.i
		if o.failed {
			failed = true
			skipValues(a, table)
		}
	}
	a.failed = failed
}

// skipValues steps over what looks like the values of the option before.
func skipValues[T any](a *args, table []keyword[T]) {
	for a.i < len(a.words) {
		if k, _ := find(table, a.words[a.i:a.i+1]); k != nil {
			return
		}
		a.i++
	}
}
