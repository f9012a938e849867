package daemon

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"baton/internal/diag"
	"baton/internal/sys"
	"baton/lb/spec"
)

// preflight says what this process lacks to run the configuration, before
// anything is opened.
func preflight(cfg *Config) error {
	if cfg.VRRP != nil {
		var lack []string
		for _, c := range []sys.Capability{sys.CapNetAdmin, sys.CapNetRaw} {
			if !sys.HasCapability(c) {
				lack = append(lack, c.String())
			}
		}
		if len(lack) > 0 {
			return fmt.Errorf("VRRP needs %s, which this process does not have: run it as root, by the systemd unit, or in a container with these capabilities added", strings.Join(lack, " and "))
		}
	}
	if cfg.Balancer == nil {
		return nil
	}
	var errs []error
	lowest, present := lowestFreePort(), listeners()
	for _, f := range cfg.Balancer.Frontends {
		if f.Disabled {
			continue
		}
		for _, b := range f.Binds {
			if err := bindable(b, lowest, present); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

func bindable(b spec.Bind, lowest uint16, present []listener) error {
	if b.Kind != spec.BindIP {
		return nil
	}
	if b.Addr.Port() < lowest && !sys.HasCapability(sys.CapNetBindService) {
		return fmt.Errorf("%v: bind %s: ports below %d need CAP_NET_BIND_SERVICE: run it as root, by the systemd unit, or choose a higher port", place(b.Pos), b.Text, lowest)
	}
	owner, used := occupied(b, present)
	switch {
	case !used:
		return nil
	case owner == "":
		return fmt.Errorf("%v: bind %s: port %d is in use by another process (`ss -tlnp sport = :%d` as root tells which)", place(b.Pos), b.Text, b.Addr.Port(), b.Addr.Port())
	}
	return fmt.Errorf("%v: bind %s: port %d is in use by %s", place(b.Pos), b.Text, b.Addr.Port(), owner)
}

// place is file:line: a socket's trouble is not about a column.
func place(p diag.Pos) diag.Pos {
	p.Col = 0
	return p
}

// lowestFreePort is the first port that needs no capability.
func lowestFreePort() uint16 {
	const usual = 1024
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		return usual
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 16)
	if err != nil {
		return usual
	}
	return uint16(n)
}
