package daemon

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"baton/conf/keepalived"
	"baton/lb/spec"
)

// warnForeignBinds tells of listeners on addresses that neither this host has nor
// an instance of ours brings. They are bound all the same (IP_FREEBIND), so a typing
// error would show by nothing but silence; with a keepalived beside it is right.
func warnForeignBinds(cfg *Config, log *slog.Logger) {
	if cfg.Balancer == nil {
		return
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		log.Warn("cannot tell which listeners stand on addresses of this host", "err", err)
		return
	}
	var local []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			local = append(local, p)
		}
	}
	for _, b := range foreignBinds(cfg.Balancer, cfg.VRRP, local) {
		log.Warn(fmt.Sprintf("%v: bind %s: neither does this host have the address nor does a vrrp_instance bring it", place(b.Pos), b.Text))
	}
}

func foreignBinds(balancer *spec.Config, vrrp *keepalived.Config, local []netip.Prefix) []spec.Bind {
	known := make(map[netip.Addr]bool)
	for _, p := range local {
		known[p.Addr().Unmap()] = true
	}
	if vrrp != nil {
		for _, in := range vrrp.Instances {
			for _, a := range in.VIP.Addresses {
				known[a.Prefix.Addr()] = true
			}
		}
	}
	var foreign []spec.Bind
	for _, f := range balancer.Frontends {
		if f.Disabled {
			continue
		}
		for _, b := range f.Binds {
			a := b.Addr.Addr().Unmap().WithZone("")
			if b.Kind == spec.BindIP && !a.IsUnspecified() && !a.IsLoopback() && !known[a] {
				foreign = append(foreign, b)
			}
		}
	}
	return foreign
}
