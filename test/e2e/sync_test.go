package e2e

import (
	"fmt"
	"strings"
	"testing"

	"baton/internal/nettest"
)

// syncConf is a group whose second member alone watches a file.
func syncConf(priority int) string {
	return fmt.Sprintf(`
track_file drain {
    file DIR/drain
    weight 0
    init_file 0
}
vrrp_sync_group G {
    group {
        V1
        V2
    }
}
vrrp_instance V1 {
    interface eth0
    virtual_router_id 51
    priority %[1]d
    virtual_ipaddress {
        10.77.0.101/24
    }
}
vrrp_instance V2 {
    interface eth0
    virtual_router_id 52
    priority %[1]d
    virtual_ipaddress {
        10.77.0.102/24
    }
    track_file {
        drain
    }
}
`, priority)
}

// TestSyncGroupMovesTogether: what is wrong with one member moves both addresses,
// to a baton and to keepalived, and its end brings both back.
func TestSyncGroupMovesTogether(t *testing.T) {
	for name, start := range map[string]func(n *node){
		"baton":      func(n *node) { n.run("-f", "peer.conf") },
		"keepalived": func(n *node) { n.keepalived(strings.ReplaceAll(syncConf(100), "DIR", n.dir)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sw := nettest.NewSwitch(t)
			lb1, lb2 := newNode(t, sw, "lb1", "10.77.0.11/24"), newNode(t, sw, "lb2", "10.77.0.12/24")
			lb1.write("peer.conf", strings.ReplaceAll(syncConf(110), "DIR", lb1.dir))
			lb2.write("peer.conf", strings.ReplaceAll(syncConf(100), "DIR", lb2.dir))
			lb1.run("-f", "peer.conf")
			start(lb2)
			both := func(owner, other *node) {
				t.Helper()
				onlyOn(t, "10.77.0.101", owner, other)
				onlyOn(t, "10.77.0.102", owner, other)
			}
			both(lb1, lb2)
			lb1.write("drain", "1\n")
			both(lb2, lb1)
			mustContain(t, lb1.status(), "VRID 51): FAULT", "a member of its sync group is in FAULT", "VRID 52): FAULT", "track_file drain")
			lb1.write("drain", "0\n")
			both(lb1, lb2)
		})
	}
}
