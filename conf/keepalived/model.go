package keepalived

import (
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
	Pair      *Pair // nil: no link to another baton
}

// Instance is one vrrp_instance: its protocol, its addresses, what it tracks.
type Instance struct {
	Pos    diag.Pos
	VRRP   vrrp.Config
	VIP    vip.Config
	Tracks []checkscript.Track
}
