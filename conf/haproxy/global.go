package haproxy

import (
	"math"
	"slices"
	"time"

	"baton/conf"
)

// maxThreads is HAProxy's limit for nbthread.
const maxThreads = 64

// global reads a global section; there may be several.
func (l *lowerer) global(s *conf.Section) {
	if len(s.Args) > 0 {
		l.errs.Errorf(s.Args[0].Pos, "", "unexpected argument '%s'", s.Args[0].Text)
	}
	lines(l, s, globalKeywords(), l, func(*keyword[*lowerer], *args) bool { return true })
}

// globalKeywords is the table of chapter 3.
func globalKeywords() []keyword[*lowerer] {
	return slices.Concat(processKeywords, tuningKeywords)
}

const (
	systemdHint = "systemd starts baton and holds its user, files and limits"
	noTLSHint   = "there is no TLS yet for it to apply to"
	noH2Hint    = "there is no HTTP/2 or QUIC yet for it to apply to"
	noLuaHint   = "there is no Lua or HTTP client here for it to apply to"
	memoryHint  = "baton sizes its buffers and caches by itself"
)

// processKeywords are those of chapters 3.1 and 3.3.
var processKeywords = []keyword[*lowerer]{
	{"51degrees-cache-size", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"51degrees-data-file", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"51degrees-property-name-list", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"51degrees-property-separator", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"ca-base", 0, false, Warned, nil, noTLSHint},
	{"chroot", 0, false, Warned, parseChroot, "names of servers' unix sockets begin there; else no effect: scripts and /dev/log would be out of reach in a jail; the systemd unit confines baton instead"},
	{"cluster-secret", 0, false, Warned, nil, noH2Hint},
	{"cpu-map", 0, false, Warned, nil, "the kernel places the event loops"},
	{"crt-base", 0, false, Warned, nil, noTLSHint},
	{"daemon", 0, false, Done, parseDaemon, "under the name haproxy it goes to the background; `baton run` never does"},
	{"default-path", 0, false, Done, parseDefaultPath, "where relative names of files start: current, config, parent, origin PATH"},
	{"description", 0, false, Warned, nil, "it is not shown anywhere yet"},
	{"deviceatlas-json-file", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"deviceatlas-log-level", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"deviceatlas-properties-cookie", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"deviceatlas-separator", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"expose-experimental-directives", 0, false, Done, parseExperimental, "allows http-request normalize-uri"},
	{"external-check", 0, false, Done, parseGlobalExternal, "allow external checks; preserve-env"},
	{"fd-hard-limit", 0, false, Warned, nil, systemdHint},
	{"gid", 0, false, Done, parseGID, "group of the process under the name haproxy; for `baton run` systemd chooses it"},
	{"grace", 0, false, Refused, nil, "let the health check look at a variable, and send SIGUSR1 once it has been seen"},
	{"group", 0, false, Done, parseGroup, "group of the process under the name haproxy; for `baton run` systemd chooses it"},
	{"h1-accept-payload-with-any-method", 0, false, Done, func(l *lowerer, _ *args) { l.cfg.Global.OldBodies = true }, "bodies of GET, HEAD and DELETE in HTTP/1.0, which old servers take for another request"},
	{"h1-case-adjust", 0, false, Done, globalCaseAdjust, "how a header name is written to bogus peers"},
	{"h1-case-adjust-file", 0, false, Done, globalCaseFile, "a file with such names"},
	{"h2-workaround-bogus-websocket-clients", 0, false, Warned, nil, noH2Hint},
	{"hard-stop-after", 0, false, Done, parseHardStop, "longest time that connections may go on after a stop"},
	{"httpclient.resolvers.id", 0, false, Warned, nil, noLuaHint},
	{"httpclient.resolvers.prefer", 0, false, Warned, nil, noLuaHint},
	{"httpclient.ssl.ca-file", 0, false, Warned, nil, noLuaHint},
	{"httpclient.ssl.verify", 0, false, Warned, nil, noLuaHint},
	{"insecure-fork-wanted", 0, true, Done, func(*lowerer, *args) {}, "external checks may start processes; baton lets them without it"},
	{"insecure-setuid-wanted", 0, false, Warned, nil, systemdHint},
	{"issuers-chain-path", 0, false, Warned, nil, noTLSHint},
	{"localpeer", 0, false, Warned, nil, "there are no peers yet"},
	{"log", 0, true, Done, parseGlobalLog, "log targets that `log global` refers to"},
	{"log-send-hostname", 0, false, Done, parseSendHostname, "a host name in syslog heads; makes rfc3164 the default format"},
	{"log-tag", 0, false, Done, parseGlobalTag, "the program's name in syslog heads"},
	{"lua-load", 0, false, Refused, nil, "no Lua"},
	{"lua-load-per-thread", 0, false, Refused, nil, "no Lua"},
	{"lua-prepend-path", 0, false, Refused, nil, "no Lua"},
	{"master-worker", 0, false, Done, parseMasterWorker, "under the name haproxy a master runs workers; `baton run` is one process"},
	{"module-path", 0, false, Warned, parseOneValue, "baton has no modules to load"},
	{"mworker-max-reloads", 0, false, Warned, nil, "baton is one process and needs no master"},
	{"nbproc", 0, false, Done, parseNbproc, "1 is accepted with a warning, more is refused"},
	{"nbthread", 0, false, Done, parseNbthread, "number of event loops"},
	{"node", 0, false, Warned, nil, "it is not shown anywhere yet"},
	{"numa-cpu-mapping", 0, true, Warned, nil, "the kernel places the event loops"},
	{"pidfile", 0, false, Done, parsePIDFile, "file for the process id; one that cannot be written is a warning"},
	{"pp2-never-send-local", 0, false, Warned, nil, "there is no PROXY protocol yet for it to apply to"},
	{"presetenv", 0, false, Done, parseSetenv, "sets a variable of the lines that follow, unless it is set"},
	{"quiet", 0, false, Warned, nil, "warnings are always shown"},
	{"resetenv", 0, false, Done, parseNames, "forgets all variables but those named"},
	{"set-dumpable", 0, true, Warned, nil, systemdHint},
	{"set-var", 0, false, Done, parseGlobalVar, "a variable proc.NAME at the start, from an expression"},
	{"set-var-fmt", 0, false, Done, parseGlobalVarFmt, "a variable proc.NAME at the start, from a format"},
	{"setenv", 0, false, Done, parseSetenv, "sets a variable of the lines that follow"},
	{"ssl-default-bind-ciphers", 0, false, Warned, nil, noTLSHint},
	{"ssl-default-bind-ciphersuites", 0, false, Warned, nil, noTLSHint},
	{"ssl-default-bind-curves", 0, false, Warned, nil, noTLSHint},
	{"ssl-default-bind-options", 0, false, Warned, nil, noTLSHint},
	{"ssl-default-server-ciphers", 0, false, Warned, nil, noTLSHint},
	{"ssl-default-server-ciphersuites", 0, false, Warned, nil, noTLSHint},
	{"ssl-default-server-options", 0, false, Warned, nil, noTLSHint},
	{"ssl-dh-param-file", 0, false, Warned, nil, noTLSHint},
	{"ssl-load-extra-del-ext", 0, false, Warned, nil, noTLSHint},
	{"ssl-load-extra-files", 0, false, Warned, nil, noTLSHint},
	{"ssl-propquery", 0, false, Warned, nil, noTLSHint},
	{"ssl-provider", 0, false, Warned, nil, noTLSHint},
	{"ssl-provider-path", 0, false, Warned, nil, noTLSHint},
	{"ssl-server-verify", 0, false, Warned, nil, noTLSHint},
	{"ssl-skip-self-issued-ca", 0, false, Warned, nil, noTLSHint},
	{"stats bind-process", 0, false, Warned, nil, "baton is one process"},
	{"stats maxconn", 0, false, Warned, nil, statsHint},
	{"stats socket", 0, false, Warned, parseStatsSocket, statsHint},
	{"stats timeout", 0, false, Warned, parseStatsTimeout, statsHint},
	{"strict-limits", 0, true, Warned, nil, "baton stops when a limit of the system keeps it from starting"},
	{"uid", 0, false, Done, parseUID, "user of the process under the name haproxy; for `baton run` systemd chooses it"},
	{"ulimit-n", 0, false, Warned, nil, systemdHint},
	{"unix-bind", 0, false, Done, parseUnixBind, "prefix, owner and permissions of the unix sockets of bind lines"},
	{"unsetenv", 0, false, Done, parseUnsetenv, "forgets variables"},
	{"user", 0, false, Done, parseUser, "user of the process under the name haproxy; for `baton run` systemd chooses it"},
	{"wurfl-cache-size", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"wurfl-data-file", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"wurfl-information-list", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"wurfl-information-list-separator", 0, false, Refused, nil, "no device data base is asked from here: let a server do it"},
	{"zero-warning", 0, false, Done, parseZeroWarning, "a configuration with warnings is refused"},
}

const statsHint = "HAProxy's runtime API is not there yet; `baton status` shows the state"

func parseDaemon(l *lowerer, a *args) { l.cfg.Global.Daemon = a.words[0].Pos }

func parseHardStop(l *lowerer, a *args) { l.cfg.Global.HardStopAfter, _ = a.duration(time.Millisecond) }

// parseMasterWorker takes the word of 2.x that may stand behind it.
func parseMasterWorker(l *lowerer, a *args) {
	l.cfg.Global.MasterWorker = a.words[0].Pos
	a.accept("no-exit-on-failure")
}

func parseOneValue(_ *lowerer, a *args) { a.next("a value") }

func parseGlobalLog(l *lowerer, a *args) {
	if a.no {
		l.logs = nil
		return
	}
	if t, ok := a.logTarget(l); ok {
		l.logs = append(l.logs, t)
	}
}

func parsePIDFile(l *lowerer, a *args) {
	if w, ok := a.next("a file name"); ok {
		l.cfg.Global.PIDFile = w.Text
	}
}

func parseNbthread(l *lowerer, a *args) {
	l.cfg.Global.NbThread, _ = a.integer("a number of threads", 1, maxThreads)
}

// parseNbproc accepts the one value that changes nothing; HAProxy itself gave
// the keyword up in 2.5.
func parseNbproc(_ *lowerer, a *args) {
	n, ok := a.integer("a number of processes", 1, math.MaxInt32)
	switch {
	case !ok:
	case n == 1:
		a.errs.Warnf(a.words[0].Pos, "remove it", "'nbproc 1' has no effect")
	default:
		a.fail(a.last(), "use `nbthread`", "'nbproc %d': baton is one process", n)
	}
}

func parseGlobalMaxconn(l *lowerer, a *args) {
	l.cfg.Global.Maxconn, _ = a.integer("a number of connections", 0, math.MaxInt32)
}

// parseStatsSocket checks no more than that there is an address.
func parseStatsSocket(_ *lowerer, a *args) {
	a.next("an address or a path")
	a.i = len(a.words)
}

func parseStatsTimeout(_ *lowerer, a *args) { a.duration(0) }
