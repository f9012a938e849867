package keepalivedcli

// The exit statuses of keepalived(8). Debian's 2.2.7 answers -t with 5 and 6 where
// its manual says 4 and 5, and never with 3; baton does what the manual says. See
// docs/keepalived.md.
const (
	ExitOK             = 0
	ExitUsage          = 1 // also what else keeps it from starting
	ExitCannotInit     = 2 // a subsystem cannot be initialised
	ExitCannotRun      = 3 // -t: the configuration cannot be run
	ExitErrors         = 4 // -t: errors, but it would run
	ExitScriptSecurity = 5 // -t: scripts, and script security is not enabled
)

// ExitNoConfig is keepalived's answer to a configuration file that is not there.
const ExitNoConfig = 6
