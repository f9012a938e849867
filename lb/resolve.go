package lb

import (
	"context"
	"net"
	"net/netip"

	"baton/internal/diag"
	"baton/lb/spec"
)

// Resolve looks up the host names of all servers, as HAProxy does at start
// (init-addr's default, libc), and stores each server's address in its spec. A
// name that has none is an error at the server's line.
func Resolve(ctx context.Context, cfg *spec.Config) diag.List {
	var errs diag.List
	for _, b := range cfg.Backends {
		for _, s := range b.Servers {
			if s.Addr.IsValid() {
				continue
			}
			addr, err := lookup(ctx, s.Host)
			if err != nil {
				errs.Errorf(s.Pos, "check the name, or give the server's IP address", "server %s/%s: no address for %q: %v", b.Name, s.Name, s.Host, err)
				continue
			}
			s.Addr = addr
		}
	}
	return errs
}

func lookup(ctx context.Context, host string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap(), nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	// A name with both families: IPv4, which every network here has.
	for _, a := range addrs {
		if a.Unmap().Is4() {
			return a.Unmap(), nil
		}
	}
	return addrs[0], nil
}
