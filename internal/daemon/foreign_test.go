package daemon

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"baton/conf/keepalived"
	"baton/lb/spec"
	"baton/vip"
)

func TestForeignBinds(t *testing.T) {
	bind := func(text string) spec.Bind { return spec.Bind{Addr: netip.MustParseAddrPort(text), Text: text} }
	balancer := &spec.Config{Frontends: []*spec.Frontend{
		{Binds: []spec.Bind{bind("0.0.0.0:80"), bind("[::]:80"), bind("127.0.0.5:80"), bind("192.0.2.1:80"), bind("192.0.2.10:80"), bind("192.0.2.11:80")}},
		{Common: spec.Common{Disabled: true}, Binds: []spec.Bind{bind("192.0.2.12:80")}},
	}}
	vrrp := &keepalived.Config{Instances: []keepalived.Instance{{VIP: vip.Config{Addresses: []vip.Address{{Prefix: netip.MustParsePrefix("192.0.2.10/24")}}}}}}
	local := []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}
	names := func(list []spec.Bind) (out []string) {
		for _, b := range list {
			out = append(out, b.Text)
		}
		return out
	}
	if d := cmp.Diff([]string{"192.0.2.11:80"}, names(foreignBinds(balancer, vrrp, local))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if d := cmp.Diff([]string{"192.0.2.10:80", "192.0.2.11:80"}, names(foreignBinds(balancer, nil, local))); d != "" {
		t.Errorf("without VRRP: -want +got:\n%s", d)
	}
}
