package haproxycli

import (
	"fmt"
	"strings"
	"time"

	"baton/conf"
)

// Identity is what the program says about itself.
type Identity struct {
	Baton string    // baton's own version
	Built time.Time // when the program was made
	Host  string    // operating system and machine
	CPUs  int
}

// name is the version in HAProxy's form, baton's own behind it.
func (id Identity) name() string { return conf.HAProxyVersion + "-baton" + id.Baton }

// Version is what -v prints, and with all -vv.
func (id Identity) Version(all bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HAProxy version %s %s\n", id.name(), id.Built.UTC().Format("2006/01/02"))
	fmt.Fprintf(&b, "Status: baton %s, which speaks HAProxy's language\n", id.Baton)
	fmt.Fprintf(&b, "Running on: %s\n", id.Host)
	if !all {
		return b.String()
	}
	var features []string
	for _, f := range conf.Features() {
		sign := "-"
		if f.Present {
			sign = "+"
		}
		features = append(features, sign+f.Name)
	}
	fmt.Fprintf(&b, "\nFeature list : %s\n", strings.Join(features, " "))
	fmt.Fprintf(&b, "\nDefault settings :\n  bufsize = 16384, maxrewrite = 1024, maxpollevents = 256\n")
	fmt.Fprintf(&b, "\nBuilt with multi-threading support (MAX_THREADS=64, default=%d).\n", id.CPUs)
	fmt.Fprintf(&b, "Built with the regular expressions of Go (RE2).\n")
	fmt.Fprintf(&b, "\nAvailable polling systems :\n      epoll : pref=300,  test result OK\nTotal: 1 (1 usable), will use epoll.\n")
	fmt.Fprintf(&b, "\nAvailable multiplexer protocols :\n"+
		"  <default> : mode=HTTP  side=FE|BE  mux=H1\n"+
		"  <default> : mode=TCP   side=FE|BE  mux=PASS\n")
	fmt.Fprintf(&b, "\nAvailable services : none\nAvailable filters : none\n")
	return b.String()
}

// Usage is the list of flags. haproxy prints it to the standard error when it is given
// none, and Version to the standard output before it.
func Usage() string {
	return `Usage : haproxy [-f <cfgfile|cfgdir>]* [ -vdVD ] [ -n <maxconn> ] [ -N <maxpconn> ]
        [ -p <pidfile> ] [ -m <max megs> ] [ -C <dir> ] [-- <cfgfile>*]
        -v displays the version ; -vv the features too.
        -d, -db stay in the foreground.
        -V says more ; -q says nothing.
        -D goes to the background ; -C changes to <dir> before files are read.
        -W runs a master and a worker ; -Ws the same, for systemd.
        -c checks the files and exits ; -cc evaluates a condition and exits.
        -n, -N limit the connections of the process and of each proxy.
        -m limits the memory, in megabytes.
        -L sets HAPROXY_LOCALPEER (default: the host name).
        -p writes the pid to this file.
        -sf/-st [pid]* finish/terminate old processes, once their sockets were taken over.
        -dW fails if there is any warning ; -dD shows what .diag lines say.
        -dr ignores servers whose names do not resolve.
        -dL prints the program's own file.
        -dG -dR -dS -dF -dZ -dV -dI -de -dk -dp -dv -dc -dM change nothing here.
        -x [unix_socket] takes listening sockets over from a haproxy with "expose-fd listeners".
        -S is accepted, and says that it has no effect yet.

`
}
