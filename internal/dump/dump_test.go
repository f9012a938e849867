package dump

import (
	"flag"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"baton/checkscript"
	"baton/checkscript/runner"
	"baton/conf/keepalived"
	"baton/internal/mono"
	"baton/vip"
	"baton/vip/kernel"
	"baton/vrrp"
	"baton/vrrp/packet"
	"baton/vrrp/vrrpnet"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the files of testdata")

// sample is a configuration with something of everything: a master of a sync
// group, a backup in version 3 by unicast, an instance of IPv6 in FAULT.
func sample() *Snapshot {
	prefix := netip.MustParsePrefix
	addr := netip.MustParseAddr
	command := func(keyword string, argv ...string) *checkscript.Command {
		return &checkscript.Command{Keyword: keyword, Argv: argv}
	}
	one := keepalived.Instance{
		VRRP: vrrp.Config{
			Name: "VI_1", Interface: "eth0", Version: 2, VRID: 51, Priority: 100, AdvertInterval: time.Second, PreemptDelay: 5 * time.Second,
			Auth: packet.Auth{Type: packet.AuthSimple, Data: [8]byte{'s', 'e', 'c', 'r', 'e', 't'}}, Advertised: []netip.Addr{addr("192.0.2.10"), addr("192.0.2.11")},
		},
		VIP: vip.Config{Instance: "VI_1", Interface: "eth0", Addresses: []vip.Address{
			{Prefix: prefix("192.0.2.10/24"), Broadcast: addr("192.0.2.255")},
			{Prefix: prefix("192.0.2.11/32"), Interface: "eth1", Label: "eth1:1", Scope: 253},
			{Prefix: prefix("192.0.2.12/32")},
		}},
		Tracks: []checkscript.Track{{Probe: "chk", Weight: -20}, {Probe: "track_interface eth1", Weight: 5, Reverse: true}, {Probe: "track_backend web"}},
	}
	two := keepalived.Instance{
		VRRP: vrrp.Config{
			Name: "VI_2", Interface: "eth0", Version: 3, VRID: 52, Priority: 90, AdvertInterval: 500 * time.Millisecond, NoPreempt: true,
			Source: addr("192.0.2.1"), Peers: []vrrp.Peer{{Addr: addr("192.0.2.2")}, {Addr: addr("192.0.2.3"), MinTTL: 250, MaxTTL: 254}},
			Advertised: []netip.Addr{addr("192.0.2.20")}, DontTrackPrimary: true, SkipAddressCheck: true, LowerPrioNoAdvert: true, DownAdverts: 5,
		},
		VIP: vip.Config{
			Instance: "VI_2", Interface: "eth0", Addresses: []vip.Address{{Prefix: prefix("192.0.2.20/32")}},
			Announce: vip.Schedule{Repeat: 3, Again: 2 * time.Second, Refresh: 30 * time.Second, RefreshRepeat: 2},
		},
		Tracks: []checkscript.Track{{Probe: "load", Weight: 2}, {Probe: "sshd", Weight: 3}},
	}
	six := keepalived.Instance{
		VRRP: vrrp.Config{
			Name: "VI_6", Interface: "eth1", Version: 3, IPv6: true, VRID: 53, Priority: 80, AdvertInterval: time.Second,
			Advertised: []netip.Addr{addr("fe80::1")}, HigherPrioSendAdvert: true,
		},
		VIP: vip.Config{Instance: "VI_6", Interface: "eth1", Addresses: []vip.Address{{Prefix: prefix("fe80::1/64"), Scope: 253}}},
	}
	six.VIP.NoAccept = true
	six.VIP.VMAC = vip.VMAC{Name: "vrrp6.53", Base: "eth1"}
	six.VIP.Addresses[0].Interface = "vrrp6.53"
	six.VIP.Routes = []vip.Route{{Kind: vip.Unicast, Table: vip.TableMain, To: prefix("2001:db8:50::/48"), Hop: vip.Hop{Via: addr("fe80::3"), Interface: "eth1"}}}
	six.VIP.Rules = []vip.Rule{{IPv6: true, From: prefix("2001:db8:50::/48"), Table: 100}}
	six.VRRP.VirtualMAC = true
	held := func(n int) kernel.Status {
		s := kernel.Status{Addresses: make([]kernel.AddressStatus, n)}
		for i := range s.Addresses {
			s.Addresses[i].Held = true
		}
		return s
	}
	var refused [packet.NumReasons]uint64
	refused[packet.AuthData], refused[packet.TTL], refused[packet.PeerTTL], refused[packet.Addresses] = 7, 1, 2, 4
	return &Snapshot{
		Node: "node1",
		Config: &keepalived.Config{
			ScriptSecurity: true,
			Probes: []checkscript.Probe{
				{Name: "chk", Kind: checkscript.Script, Argv: []string{"/bin/true", "arg"}, Interval: 2 * time.Second, Timeout: 2 * time.Second, Weight: -20, Rise: 2, Fall: 3},
				{Name: "track_interface eth1", Kind: checkscript.Interface, Interface: "eth1"},
				{Name: "track_backend web", Kind: checkscript.Backend, Backend: "web"},
				{Name: "load", Kind: checkscript.File, Path: "/run/load", Weight: 2},
				{Name: "sshd", Kind: checkscript.Process, Match: checkscript.Match{Name: "sshd"}, Quorum: 1, QuorumMax: -1, Weight: 3},
			},
			Groups: []keepalived.Group{{Name: "G", Members: []string{"VI_1"}}},
			Notify: checkscript.Notify{Targets: []checkscript.Target{
				{Name: "VI_1", Scripts: map[checkscript.Word]*checkscript.Command{
					checkscript.ToMaster: command("notify_master", "/bin/m", "a"), checkscript.ToBackup: command("notify_backup", "/bin/b"),
					checkscript.ToFault: command("notify_fault", "/bin/f"), checkscript.Stopped: command("notify_stop", "/bin/s"),
					checkscript.RxLower: command("notify_master_rx_lower_pri", "/bin/r"),
				}, Any: command("notify", "/bin/n")},
				{Group: true, Name: "G", Any: command("notify", "/bin/g")},
			}},
		},
		Instances: []Instance{
			{one, vrrpnet.Status{
				Name: "VI_1", Group: "G", Version: 2, Sent: 12, Received: 3, BecameMaster: 2, LeftMaster: 1, ZeroSent: 5, ZeroReceived: 6, Refused: refused,
				View: vrrpnet.View{State: vrrp.Master, Priority: 80, Delta: -20, Source: addr("192.0.2.1")}, Deadline: mono.Time(time.Second),
			}, held(3)},
			{two, vrrpnet.Status{
				Name: "VI_2", Version: 3, Unicast: true,
				View: vrrpnet.View{State: vrrp.Backup, Priority: 90, Source: addr("192.0.2.1"), Master: addr("192.0.2.2"), MasterPriority: 150}, Deadline: mono.Time(time.Second),
			}, kernel.Status{}},
			{six, vrrpnet.Status{
				Name: "VI_6", Version: 3, IPv6: true,
				View: vrrpnet.View{State: vrrp.Fault, Priority: 80, Faults: vrrp.LinkDown | vrrp.NoAddress}, Deadline: mono.Never,
			}, kernel.Status{}},
		},
		Probes: []runner.Status{
			{Probe: checkscript.Probe{Name: "chk", Kind: checkscript.Script, Argv: []string{"/bin/true", "arg"}, Interval: 2 * time.Second, Timeout: 2 * time.Second, Weight: -20, Rise: 2, Fall: 3}, Verdict: checkscript.Down, Streak: 1},
			{Probe: checkscript.Probe{Name: "load", Kind: checkscript.File, Path: "/run/load", Weight: 2}, Value: 4},
			{Probe: checkscript.Probe{Name: "sshd", Kind: checkscript.Process, Match: checkscript.Match{Name: "sshd"}, Quorum: 1, QuorumMax: -1, Weight: 3}, Verdict: checkscript.Up},
		},
		Interfaces: []Interface{
			{net.Interface{Index: 1, Name: "lo", MTU: 65536, Flags: net.FlagUp | net.FlagRunning | net.FlagLoopback}, []netip.Prefix{prefix("127.0.0.1/8"), prefix("::1/128")}},
			{net.Interface{Index: 2, Name: "eth0", MTU: 1500, HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Flags: net.FlagUp | net.FlagRunning | net.FlagBroadcast | net.FlagMulticast}, []netip.Prefix{prefix("192.0.2.1/24"), prefix("fe80::2/64")}},
		},
	}
}

// instants depend on when the process began.
func withoutInstants(b []byte) string {
	s := regexp.MustCompile(`[0-9]+\.[0-9]{6} \([A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}\.[0-9]{6} [0-9]{4}\)`).ReplaceAllString(string(b), "INSTANT")
	return regexp.MustCompile(`"last_transition":[0-9.]+`).ReplaceAllString(s, `"last_transition":INSTANT`)
}

func TestForms(t *testing.T) {
	s := sample()
	text, err := JSON(s)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"keepalived.data": Data(s), "keepalived.stats": Stats(s), "keepalived.json": append(text, '\n')} {
		path, got := filepath.Join("testdata", name), withoutInstants(b)
		if *rewrite {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
