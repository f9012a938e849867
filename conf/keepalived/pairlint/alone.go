package pairlint

import (
	"net/netip"
	"net/url"
	"path"
	"strings"

	"baton/checkscript"
	"baton/conf/keepalived"
	"baton/internal/diag"
)

// Alone finds what can be said of one node without the other. Everything in it is a
// warning: the other node may make it right.
func Alone(c *keepalived.Config) diag.List {
	var errs diag.List
	for i := range c.Instances {
		in := &c.Instances[i]
		r := reachOf(c, in)
		if in.VRRP.Priority != 255 {
			mute(&errs, in, r)
		}
		if in.VRRP.NoPreempt && in.VRRP.Priority != 255 && len(r.tracks) > 0 {
			s := side{in: in, reach: r}
			errs.Warnf(r.tracks[0].Pos, "use `weight 0`, which makes a failure FAULT",
				"vrrp_instance %s has `nopreempt` and tracks %s with a weight: if the other node has `nopreempt` as well, as is usual, a weight moves nothing, and %s stays on a node that has failed",
				in.VRRP.Name, list(s.probes()), what(in))
		}
		if src := in.VRRP.Source; src.IsValid() && peerOf(&in.VRRP, src) != nil {
			errs.Warnf(in.Place("unicast_peer"), "name the other nodes only", "`unicast_peer` names %v, which is this node's own address", src)
		}
		for _, t := range in.Tracks {
			p := probeOf(c, t)
			if p == nil || p.Kind != checkscript.Script || t.Weight != 0 {
				continue
			}
			if host, asks := asksNetwork(p.Argv); asks && isLoopback(host) {
				errs.Warnf(t.Pos, "give it a weight, the same on every node, so that the address stays where all fail alike; or ask what only this node can lose",
					"%s asks this host's own service, and its failure is FAULT: if that service depends on servers that every node shares, they fail it on all nodes at once, and nobody holds %s",
					t.Probe, what(in))
			}
		}
	}
	errs.Sort()
	return errs
}

// mute tells of weights that the bounds of a priority swallow: 1..254.
func mute(errs *diag.List, in *keepalived.Instance, r reach) {
	if r.free {
		return
	}
	for i, t := range r.tracks {
		heard := false
		for s := range r.sums(i) {
			heard = heard || r.priority(s+t.well) != r.priority(s+t.ill)
		}
		if !heard {
			errs.Warnf(t.Pos, "choose a priority that leaves room for it",
				"the weight of %s changes nothing: the priority of vrrp_instance %s is %d with it and without it, and the range is 1 to 254",
				t.Probe, in.VRRP.Name, r.normal())
		}
	}
}

// asksNetwork recognises commands that ask for a URL: curl and wget. What a script
// does inside is not known here.
func asksNetwork(argv []string) (host string, asks bool) {
	if len(argv) == 0 {
		return "", false
	}
	if program := path.Base(argv[0]); program != "curl" && program != "wget" {
		return "", false
	}
	for _, a := range argv[1:] {
		if !strings.HasPrefix(a, "http://") && !strings.HasPrefix(a, "https://") {
			continue
		}
		if u, err := url.Parse(a); err == nil {
			return u.Hostname(), true
		}
	}
	return "", false
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
