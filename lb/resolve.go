package lb

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"

	"baton/internal/diag"
	"baton/lb/spec"
)

// Resolve finds the first address of every server that is given by name, as its
// `init-addr` says (HAProxy's default: the system's resolver), and stores it in the
// spec. A server that may start without one is left with none. Where nothing of
// init-addr leads to an address, that is an error at the server's line.
func Resolve(ctx context.Context, cfg *spec.Config) diag.List {
	var errs diag.List
	for _, b := range cfg.Backends {
		for _, s := range b.Servers {
			if a := s.Agent; a != nil && a.Host != "" {
				var err error
				if a.Addr, err = lookup(ctx, a.Host); err != nil {
					errs.Errorf(s.Pos, "check the name, or give the agent's IP address", "server %s/%s: no address for the agent %q: %v", b.Name, s.Name, a.Host, err)
				}
			}
			if s.Addr.IsValid() || s.Socket != "" {
				continue
			}
			addr, err := initialAddr(ctx, s)
			if err != nil {
				errs.Errorf(s.Pos, "check the name, give the server's IP address, or let it start without one: init-addr last,libc,none",
					"server %s/%s: no address for %q: %v", b.Name, s.Name, s.Host, err)
				continue
			}
			s.Addr = addr
		}
	}
	return errs
}

// initialAddr returns the zero Addr for a server that is to start without one.
func initialAddr(ctx context.Context, s *spec.Server) (netip.Addr, error) {
	if a, err := netip.ParseAddr(s.Host); err == nil {
		return a.Unmap(), nil
	}
	if serviceName(s) {
		return netip.Addr{}, nil // SRV records lead to names, and those to addresses
	}
	methods := s.InitAddr
	if len(methods) == 0 {
		methods = []spec.InitAddr{{Kind: spec.InitLast}, {Kind: spec.InitLibc}}
	}
	failure := errors.New("init-addr names no way to get one")
	for _, m := range methods {
		switch m.Kind {
		case spec.InitLast:
			if s.Saved != nil && s.Saved.Addr.IsValid() {
				return s.Saved.Addr, nil
			}
		case spec.InitLibc:
			addr, err := lookup(ctx, s.Host)
			if err == nil {
				return addr, nil
			}
			failure = err
		case spec.InitIP:
			return m.Addr, nil
		case spec.InitNone:
			return netip.Addr{}, nil
		}
	}
	return netip.Addr{}, failure
}

// serviceName tells an SRV name: it begins with an underscore (chapter 5.3.1).
func serviceName(s *spec.Server) bool { return s.Naming != nil && s.Host[0] == '_' }

func lookup(ctx context.Context, host string) (netip.Addr, error) {
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

// nameServers lists a section's name servers, with those of /etc/resolv.conf last.
func nameServers(r *spec.Resolvers) ([]spec.NameServer, error) {
	list := slices.Clone(r.Servers)
	if !r.ResolvConf {
		return list, nil
	}
	system, err := resolvConf("/etc/resolv.conf")
	return append(list, system...), err
}
