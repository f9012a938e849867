package keepalived

import (
	"slices"
	"time"

	"baton/checkscript"
	"baton/internal/diag"
	"baton/vip"
	"baton/vrrp"
)

// Config is what keepalived's blocks mean, ready to run.
type Config struct {
	RouterID       string // "": the host name
	ScriptSecurity bool   // enable_script_security: run no script as root that others could change
	// Probes are those that an instance tracks, each once, in the order of the
	// files; a vrrp_script that nothing tracks never runs.
	Probes    []checkscript.Probe
	Instances []Instance
	Static    vip.Config // static_ipaddress, static_routes, static_rules
	Pair      *Pair      // nil: no link to another baton
	Groups    []Group
	// LinkDelays is interface_up_down_delays.
	LinkDelays []LinkDelay
	// Notify holds an entry for every instance and group that somebody is told about.
	Notify checkscript.Notify
}

// Group is one vrrp_sync_group. What it tracks is among its members' Tracks.
type Group struct {
	Pos     diag.Pos
	Name    string
	Members []string // names of instances
}

// LinkDelay says how long an interface must be down, or up again, before it counts.
type LinkDelay struct {
	Pos       diag.Pos
	Interface string
	Down, Up  time.Duration
}

// Instance is one vrrp_instance: its protocol, its addresses, what it tracks.
type Instance struct {
	Pos    diag.Pos
	VRRP   vrrp.Config
	VIP    vip.Config
	Tracks []checkscript.Track
	// At is where the file says what: the place of a keyword's value, or of the keyword
	// when it opens a block. See Place.
	At map[string]diag.Pos
}

// Place returns where the file says the first of the keywords that it says, or where
// the instance begins.
func (in *Instance) Place(keywords ...string) diag.Pos {
	for _, k := range keywords {
		if p, ok := in.At[k]; ok {
			return p
		}
	}
	return in.Pos
}

// tracks reports whether an instance tracks a probe.
func (c *Config) tracks(probe string) bool {
	return slices.ContainsFunc(c.Instances, func(i Instance) bool {
		return slices.ContainsFunc(i.Tracks, func(t checkscript.Track) bool { return t.Probe == probe })
	})
}
