package keepalived

import (
	"baton/checkscript"
	"baton/internal/diag"
	"baton/vip"
	"baton/vrrp"
)

// Config is what keepalived's blocks mean, ready to run.
type Config struct {
	RouterID  string
	Probes    []checkscript.Probe
	Instances []Instance
}

// Instance is one vrrp_instance: its protocol, its addresses, what it tracks.
type Instance struct {
	Pos    diag.Pos
	VRRP   vrrp.Config
	VIP    vip.Config
	Tracks []checkscript.Track
}
