package haproxy

// laterKeywords are the proxy keywords of chapter 4.1 that baton knows without
// doing them. Those that cannot change what clients see are warned about, with
// one sentence of what baton does instead; the others are refused.
var laterKeywords = []keyword[*proxy]{
	{"bind-process", inAll, false, Warned, nil, "baton is one process; every event loop serves every listener"},
	{"compression", inAll, false, Refused, nil, "compress on the servers"},
	{"dispatch", inBackend, false, Refused, nil, "write a `server` line"},
	{"email-alert from", inAll, false, Refused, nil, "no mail from the balancer: let the system that reads the log send it"},
	{"email-alert level", inAll, false, Refused, nil, "no mail from the balancer: let the system that reads the log send it"},
	{"email-alert mailers", inAll, false, Refused, nil, "no mail from the balancer: let the system that reads the log send it"},
	{"email-alert myhostname", inAll, false, Refused, nil, "no mail from the balancer: let the system that reads the log send it"},
	{"email-alert to", inAll, false, Refused, nil, "no mail from the balancer: let the system that reads the log send it"},
	{"filter", both, false, Refused, nil, "no filters: no compression, cache, SPOE or trace"},
	{"log-balance", back, false, Refused, nil, "no backends of mode log: write a log line for each server, with sample to share the lines out"},
	{"max-keep-alive-queue", back, false, Refused, nil, "connections are kept as http-reuse says"},
	{"option contstats", front, true, Warned, noArguments, "it only changes when statistics are added up"},
	{"option disable-h2-upgrade", front, true, Warned, noArguments, "there is no upgrade to HTTP/2 to disable"},
	{"option socket-stats", front, true, Warned, noArguments, "it only adds statistics"},
	{"option splice-auto", inAll, true, Warned, noArguments, "baton decides by itself when the kernel may move data without copying"},
	{"option splice-request", inAll, true, Warned, noArguments, "baton decides by itself when the kernel may move data without copying"},
	{"option splice-response", inAll, true, Warned, noArguments, "baton decides by itself when the kernel may move data without copying"},
	{"option tcp-smart-accept", front, true, Warned, noArguments, "it only saves an acknowledgement packet"},
	{"option tcp-smart-connect", back, true, Warned, noArguments, "it only saves an acknowledgement packet"},
	{"option transparent", back, true, Refused, nil, "write a server that is the client's destination: server NAME *"},
	{"stats admin", both, false, Refused, nil, statusHint},
	{"stats auth", inAll, false, Refused, nil, statusHint},
	{"stats enable", inAll, false, Refused, nil, statusHint},
	{"stats hide-version", inAll, false, Refused, nil, statusHint},
	{"stats http-request", both, false, Refused, nil, statusHint},
	{"stats realm", inAll, false, Refused, nil, statusHint},
	{"stats refresh", inAll, false, Refused, nil, statusHint},
	{"stats scope", inAll, false, Refused, nil, statusHint},
	{"stats show-desc", inAll, false, Refused, nil, statusHint},
	{"stats show-legends", inAll, false, Refused, nil, statusHint},
	{"stats show-node", inAll, false, Refused, nil, statusHint},
	{"stats uri", inAll, false, Refused, nil, statusHint},
	{"stick match", inBackend, false, Refused, nil, "no stick tables yet"},
	{"stick on", inBackend, false, Refused, nil, "no stick tables yet"},
	{"stick store-request", inBackend, false, Refused, nil, "no stick tables yet"},
	{"stick store-response", inBackend, false, Refused, nil, "no stick tables yet"},
	{"stick-table", both, false, Refused, nil, "no stick tables yet"},
	{"transparent", back, false, Refused, nil, "write a server that is the client's destination: server NAME *"},
	{"use-fcgi-app", inBackend, false, Refused, nil, "no FastCGI: put a web server between"},
}

const statusHint = "no status page yet; `baton status` shows instances and servers"

// noArguments lets the caller complain about words that follow.
func noArguments(*proxy, *args) {}
