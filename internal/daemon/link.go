package daemon

import (
	"slices"

	"baton/checkscript"
	"baton/conf/keepalived"
	"baton/internal/diag"
	"baton/lb/spec"
)

// link checks what the VRRP half says about the balancer: the names, and that what
// they stand for can ever be well. A probe that cannot is found out here, and not
// in the night when the other node fails.
func link(vrrp *keepalived.Config, balancer *spec.Config) diag.List {
	backends, frontends := make(map[string]bool), make(map[string]bool)
	for _, b := range balancer.Backends {
		backends[b.Name] = true
	}
	for _, f := range balancer.Frontends {
		frontends[f.Name] = true
	}
	errs := keepalived.Link(vrrp, backends, frontends)
	for _, p := range vrrp.Probes {
		switch p.Kind {
		case checkscript.Backend:
			if i := slices.IndexFunc(balancer.Backends, func(b *spec.Backend) bool { return b.Name == p.Backend }); i >= 0 {
				checkBackend(&errs, p, balancer.Backends[i])
			}
		case checkscript.Traffic:
			if i := slices.IndexFunc(balancer.Frontends, func(f *spec.Frontend) bool { return f.Name == p.Frontend }); i >= 0 {
				checkFrontend(&errs, p, balancer.Frontends[i])
			}
		case checkscript.Script, checkscript.Self:
		}
	}
	return errs
}

func checkBackend(errs *diag.List, p checkscript.Probe, b *spec.Backend) {
	switch {
	case b.Disabled:
		errs.Errorf(p.Pos, "", "track_backend: backend %s is disabled (%s) and can have no usable server", b.Name, b.Pos)
	case len(b.Servers) < p.MinServers:
		errs.Errorf(p.Pos, "", "track_backend: backend %s (%s) has %s, and min_servers is %d", b.Name, b.Pos, Count(len(b.Servers), "server"), p.MinServers)
	}
}

func checkFrontend(errs *diag.List, p checkscript.Probe, f *spec.Frontend) {
	switch {
	case f.Disabled:
		errs.Errorf(p.Pos, "", "track_traffic: frontend %s is disabled (%s) and answers nobody", f.Name, f.Pos)
	case len(f.Binds) == 0:
		errs.Errorf(p.Pos, "", "track_traffic: frontend %s (%s) has no `bind` and answers nobody", f.Name, f.Pos)
	case f.Mode == spec.TCP:
		errs.Warnf(p.Pos, "this is right where its servers speak HTTP", "track_traffic asks in HTTP, but frontend %s (%s) is in mode tcp", f.Name, f.Pos)
	}
}
