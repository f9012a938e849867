package admin

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func TestText(t *testing.T) {
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	before := func(d time.Duration) time.Time { return now.Add(-d) }
	cases := map[string]Status{
		"master": {
			Version: "0.1.0", PID: 812, Node: "lb1", State: "running", Uptime: 4000,
			Instances: []Instance{{
				Name: "VI_1", Interface: "eth0", VRID: 51, State: "MASTER", Since: before(90 * time.Second), Reason: "no advert heard for 3.6 s",
				Priority: 103, Base: 101,
				Shares:    []Share{{Probe: "check_haproxy", Verdict: "up", Weight: 2, Delta: 2}, {Probe: "web", Verdict: "up", Weight: -50}},
				Addresses: []Address{{Prefix: "192.168.1.100/24", Interface: "eth0", Held: true}},
				Lease:     &Lease{Since: before(90 * time.Second), Remaining: 2.4},
				Counters:  map[string]uint64{"sent": 90, "received": 3, "bad_checksum": 0},
			}},
			Probes:    []Probe{{Name: "check_haproxy", Kind: "self", Verdict: "up", Since: before(time.Hour), Last: "the balancer is serving"}},
			Frontends: []Frontend{{Name: "web", Mode: "http", Binds: []string{"192.168.1.100:80"}, Connections: 12, Counters: Counters{Sessions: 3456, Requests: 7890, Status5xx: 2}}},
			Backends: []Backend{{Name: "app", Mode: "http", Balance: "roundrobin", Usable: 1, Servers: []Server{
				{Name: "s1", Address: "10.0.0.1:80", State: "UP", Check: "L7OK", Code: 200, Took: 3.2, Since: before(time.Hour), Weight: 1, Active: true, Current: 3, Sessions: 99},
			}}},
		},
		"trouble": {
			Version: "0.1.0", PID: 812, Node: "lb2", State: "running", Uptime: 200000,
			Instances: []Instance{{
				Name: "VI_1", Interface: "eth0", VRID: 51, State: "FAULT", Since: before(26 * time.Hour), Reason: "probe chk is down",
				Priority: 50, Base: 100,
				Shares:    []Share{{Probe: "chk", Verdict: "down", Fault: true}, {Probe: "web", Verdict: "down", Weight: -50, Delta: -50}, {Probe: "up2", Verdict: "down", Weight: 2}},
				Addresses: []Address{{Prefix: "192.168.1.100/24", Interface: "eth0"}},
				Master:    &Master{"192.168.1.10", 103},
				Differs:   []string{"192.168.1.10 advertises other addresses than this node has"},
			}},
			Probes: []Probe{{Name: "chk", Kind: "script", Verdict: "down", Since: before(26 * time.Hour), Last: "exit status 1", Streak: 1, Need: 2}},
			Balancer: &Balancer{Connections: 10, MaxConnections: 10, LogTargets: []LogTarget{
				{Name: "/dev/log"},
				{Name: "ring@r/s", Dropped: 7},
				{Name: "udp@10.0.0.1:514", Failing: true},
			}},
			Backends: []Backend{
				{Name: "app", Mode: "http", Balance: "roundrobin", Servers: []Server{{Name: "s1", Address: "10.0.0.1:80", State: "DOWN", Check: "L4CON", Info: "connection refused", Weight: 1, ConnErrors: 7}}},
				{Name: "two", Mode: "tcp", Balance: "leastconn", Usable: 1, Queued: 4, Servers: []Server{{Name: "s1", State: "DOWN"}, {Name: "s2", State: "UP", Active: true, Backup: true}}},
			},
		},
		"paths": {
			Version: "0.1.0", PID: 812, Node: "lb2", State: "running", Uptime: 200,
			Instances: []Instance{{
				Name: "VI_1", Interface: "eth0", VRID: 51, State: "BACKUP", Since: before(time.Minute), Priority: 100, Base: 100,
				Master: &Master{"192.168.1.10", 103},
				Paths: []Path{
					{Interface: "eth0", Master: "silent", Since: before(10 * time.Second), Sent: 1, Received: 20},
					{Interface: "eth1", Master: "seen", Since: before(time.Minute), Received: 60},
					{Interface: "eth2", Master: "unknown", Since: before(time.Minute)},
					{Interface: "eth3", Master: "silent", Since: before(time.Minute), Problem: "no such interface"},
				},
			}},
		},
		"pair": {
			Version: "0.1.0", PID: 812, Node: "lb1", State: "running", Uptime: 40, Maintenance: true, MaintenanceSince: new(before(90 * time.Second)),
			Pair: &Pair{
				Address: "192.0.2.12:1112", Up: true, Since: before(time.Minute), Node: "lb2", Version: "0.1.0", Reason: "its balancer does not serve", Strangers: 2, Refused: 1,
				Instances: []PeerInstance{
					{Name: "VI_1", VRID: 51, State: "MASTER", Priority: 103, Base: 101, Holds: true, Ready: true},
					{Name: "VI_2", VRID: 52, State: "BACKUP", Priority: 100, Base: 100, Ready: true},
					{Name: "VI_3", VRID: 53, State: "FAULT", Priority: 100, Base: 100, Reason: "it is in FAULT: interface down"},
				},
				Backends:    []PeerBackend{{Name: "app", Usable: 1, Servers: 2, Down: []string{"web2"}}},
				Differences: []string{"instance VI_1: advert_int is 1s here, 2s on lb2"},
			},
		},
		"pair-down": {
			Version: "0.1.0", PID: 812, Node: "lb1", State: "running", Uptime: 40,
			Pair: &Pair{
				Address: "192.0.2.12:1112", Since: before(time.Minute), Why: "the peer stopped in order", DialError: "connection refused", Node: "lb2", Version: "0.1.0", Maintenance: true,
				Instances: []PeerInstance{{Name: "VI_1", VRID: 51, State: "INIT", Priority: 103, Base: 101, Reason: "it is stopping"}},
			},
		},
		"balancer-only": {Version: "0.1.0", PID: 1, Node: "c", State: "starting"},
	}
	for name, st := range cases {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := st.WriteText(&b, now); err != nil {
				t.Fatal(err)
			}
			path := "testdata/" + name + ".txt"
			if *rewrite {
				if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), b.String()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
