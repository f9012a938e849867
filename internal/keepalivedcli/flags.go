package keepalivedcli

// argument says whether a flag takes a value.
type argument uint8

const (
	none     argument = iota
	required          // the rest of the word, or the next one
	optional          // the rest of the word, or behind `=`; never the next word
)

// flag is one row of keepalived's list.
type flag struct {
	long  string
	short byte // 0: none
	arg   argument
	help  string // for --help
	value string // what the argument is called there

	set func(o *Options, value string) error // nil: see below
	// Why it changes nothing here. It is logged at the start.
	ignored string
	// Why baton cannot do it. The flag is refused.
	refused string
}

// flags is keepalived's list in the order of its manual.
func flags() []flag {
	return []flag{
		{
			long: "use-file", short: 'f', arg: required, value: "FILE", help: "read this configuration file; default " + DefaultFile,
			set: func(o *Options, v string) error { o.File = v; return nil },
		},
		{long: "vrrp", short: 'P', help: "run VRRP only, which is all there is here", set: nothing},
		{long: "check", short: 'C', help: "refused", refused: "baton has no IPVS health checkers: balance with a frontend and a backend"},
		{long: "no_bfd", short: 'B', help: "run no BFD, which is how it is here", set: nothing},
		{long: "all", help: "run all subsystems; there is VRRP only", ignored: "there is no other subsystem than VRRP"},
		{long: "log-console", short: 'l', help: "log to the console too", set: func(o *Options, _ string) error { o.Console = true; return nil }},
		{long: "log-detail", short: 'D', help: "detailed log messages; baton has one kind", set: nothing},
		{
			long: "log-facility", short: 'S', arg: required, value: "{0-7|local{0-7}|user|daemon}", help: "facility of syslog; default daemon",
			set: setFacility,
		},
		{
			long: "log-file", short: 'g', arg: required, value: "FILE", help: "log to FILE, with _vrrp before its last dot",
			set: func(o *Options, v string) error { o.LogFile = v; return nil },
		},
		{long: "flush-log-file", help: "flush the file of -g after each line, which is always done", set: nothing},
		{long: "no-syslog", short: 'G', help: "do not log to syslog", set: func(o *Options, _ string) error { o.NoSyslog = true; return nil }},
		{long: "release-vips", short: 'X', help: "drop the addresses on a signal, which is always done", set: nothing},
		{
			long: "dont-release-vrrp", short: 'V', help: "refused",
			refused: "baton's addresses are leases that end with the process; none can be left behind",
		},
		{long: "dont-release-ipvs", short: 'I', help: "leave IPVS alone, which is how it is here", set: nothing},
		{long: "dont-respawn", short: 'R', help: "do not start dead children anew; there are none", set: nothing},
		{long: "dont-fork", short: 'n', help: "stay in the foreground", set: func(o *Options, _ string) error { o.Foreground = true; return nil }},
		{long: "dump-conf", short: 'd', help: "log the configuration as it was understood", set: func(o *Options, _ string) error { o.DumpConf = true; return nil }},
		{
			long: "pid", short: 'p', arg: required, value: "FILE", help: "pid file; default " + DefaultPIDFile,
			set: func(o *Options, v string) error { o.PIDFile = v; return nil },
		},
		{
			long: "vrrp_pid", short: 'r', arg: required, value: "FILE", help: "pid file of VRRP; default " + DefaultVRRPPIDFile,
			set: func(o *Options, v string) error { o.VRRPPIDFile = v; return nil },
		},
		{long: "genhash", short: 'T', help: "refused", refused: "there is no genhash here"},
		{long: "checkers_pid", short: 'c', arg: required, value: "FILE", help: "pid file of the checkers, of which there are none", set: func(*Options, string) error { return nil }},
		{
			long: "address-monitoring", short: 'a', help: "log what happens to addresses; baton logs it of its own",
			ignored: "baton logs what happens to its own addresses, and to no others",
		},
		{long: "bfd_pid", short: 'b', arg: required, value: "FILE", help: "pid file of BFD, which there is not", set: func(*Options, string) error { return nil }},
		{
			long: "namespace", short: 's', arg: required, value: "NAME", help: "run in this network namespace",
			set: func(o *Options, v string) error { o.Namespace = v; return nil },
		},
		{long: "all-config", short: 'e', help: "fail when an included file is missing, which is always done", set: nothing},
		{
			long: "config-id", short: 'i', arg: required, value: "ID", help: "name of this node for lines that begin with @; default: the host name",
			set: func(o *Options, v string) error { o.ConfigID = v; return nil },
		},
		{long: "snmp", short: 'x', help: "refused", refused: "there is no SNMP here"},
		{long: "snmp-agent-socket", short: 'A', arg: required, value: "FILE", help: "refused", refused: "there is no SNMP here"},
		{long: "umask", short: 'u', arg: required, value: "MASK", help: "umask for the files that are written", set: setUmask},
		{long: "core-dump", short: 'm', help: "leave a core file after a crash", set: func(o *Options, _ string) error { o.CoreDump = true; return nil }},
		{
			long: "core-dump-pattern", short: 'M', arg: optional, value: "PATTERN", help: "refused",
			refused: "it would change the whole host: set kernel.core_pattern with sysctl",
		},
		{
			long: "signum", arg: required, value: "SIGFUNC", help: "print the number of the signal for STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON",
			set: func(o *Options, v string) error { o.Action, o.SignalName = PrintSignal, v; return nil },
		},
		{
			long: "config-test", short: 't', arg: optional, value: "LOG_FILE", help: "check the configuration; findings go to stderr or to LOG_FILE",
			set: func(o *Options, v string) error { o.Action, o.TestLog = TestConfig, v; return nil },
		},
		{long: "perf", arg: optional, value: "{all|run|end}", help: "refused", refused: "there is no profile of that kind"},
		{long: "no-mem-check", help: "no checks of memory, of which there are none", set: nothing},
		{long: "debug", arg: optional, value: "OPTIONS", help: "refused", refused: "there are no debug options here"},
		{long: "version", short: 'v', help: "print the version", set: func(o *Options, _ string) error { o.Action = PrintVersion; return nil }},
		{long: "help", short: 'h', help: "print this", set: func(o *Options, _ string) error { o.Action = PrintHelp; return nil }},
	}
}

// nothing is for flags that ask for what is done anyway.
func nothing(*Options, string) error { return nil }
