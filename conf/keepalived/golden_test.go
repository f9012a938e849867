package keepalived

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"baton/checkscript"
	"baton/conf"
	"baton/vip"
)

var rewrite = flag.Bool("rewrite", false, "write what the code does into the golden files")

const separator = "----------\n"

// A golden file is a configuration, a line of dashes, and what it means or the
// findings. A comment `#! scripts: PATH...` runs CheckScripts with these files
// executable, `#! names: BACKEND... | FRONTEND...` runs Link.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, p := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(p), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(data), separator)
			got := run(t, "k.conf", input)
			if *rewrite {
				if err := os.WriteFile(p, []byte(input+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestExamples lowers the files that users have, as they wrote them.
func TestExamples(t *testing.T) {
	for _, name := range []string{"002-keepalived-backup", "002-keepalived-master", "002-keepalived-script"} {
		t.Run(name, func(t *testing.T) {
			input, err := os.ReadFile("testdata/examples/" + name + ".conf")
			if err != nil {
				t.Fatal(err)
			}
			golden := "testdata/examples/" + name + ".want"
			got := run(t, name+".conf", string(input))
			if *rewrite {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// run parses, lowers and checks a file, and shows the outcome: findings, and the
// configuration if there are no errors.
func run(t *testing.T, name, input string) string {
	t.Helper()
	src := conf.Source{FS: fstest.MapFS{"etc/" + name: {Data: []byte(input)}}, Dir: "/etc", Node: "lb1"}
	tree, errs := conf.Parse(src, []string{name})
	c, more := Lower(tree)
	errs = append(errs, more...)
	for line := range strings.Lines(input) {
		if rest, ok := strings.CutPrefix(line, "#! scripts:"); ok {
			executable := set(rest)
			errs = append(errs, CheckScripts(c, func(path string) error {
				if executable[path] {
					return nil
				}
				return errors.New("no such file")
			})...)
		}
		if rest, ok := strings.CutPrefix(line, "#! names:"); ok {
			backends, frontends, _ := strings.Cut(rest, "|")
			errs = append(errs, Link(c, set(backends), set(frontends))...)
		}
	}
	errs.Sort()
	tree.Attach(errs)
	var b strings.Builder
	if errs.Errors() == 0 {
		dump(&b, c)
	}
	if err := errs.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// dump shows a configuration; what is at its zero value is left out.
func dump(b *strings.Builder, c *Config) {
	field := func(name string, v any) {
		if s := fmt.Sprint(v); s != "" && s != "0" && s != "false" && s != "[]" && s != "invalid IP" && s != "0s" {
			fmt.Fprintf(b, " %s=%s", name, s)
		}
	}
	line := func(kind, name string) { fmt.Fprintf(b, "%s %s", kind, name) }
	if c.RouterID != "" || c.ScriptSecurity {
		line("global", "")
		field("router_id", c.RouterID)
		field("script_security", c.ScriptSecurity)
		b.WriteString("\n")
	}
	if p := c.Pair; p != nil {
		fmt.Fprintf(b, "pair peer=%v listen=%v key=%s peer_key=%s\n", p.Peer, p.Listen, p.Key, p.PeerKey)
	}
	if m := c.Notify.Mail; m != nil {
		line("mail", m.Server)
		field("helo", m.Helo)
		field("from", m.From)
		field("to", m.To)
		field("timeout", m.Timeout)
		field("no_faults", m.NoFaults)
		b.WriteString("\n")
	}
	for _, f := range c.Notify.FIFOs {
		line("fifo", f.Path)
		field("keyword", f.Keyword)
		field("user", f.User)
		field("group", f.Group)
		if f.Script != nil {
			field("script", fmt.Sprintf("%q", f.Script.Argv))
			field("as", f.Script.User+":"+f.Script.Group)
		}
		b.WriteString("\n")
	}
	for _, p := range c.Probes {
		line(p.Kind.String(), p.Name)
		field("interval", p.Interval)
		field("timeout", p.Timeout)
		field("rise", p.Rise)
		field("fall", p.Fall)
		field("weight", p.Weight)
		field("reverse", p.Reverse)
		field("init_fail", p.InitFail)
		if len(p.Argv) > 0 {
			field("argv", fmt.Sprintf("%q", p.Argv))
		}
		field("user", p.User)
		field("group", p.Group)
		field("backend", p.Backend)
		field("min_servers", p.MinServers)
		field("frontend", p.Frontend)
		field("uri", p.URI)
		field("path", p.Path)
		if p.Init != nil {
			field("init", fmt.Sprintf("%+v", *p.Init))
		}
		if p.Kind == checkscript.Process {
			field("match", fmt.Sprintf("%q %q commandline=%v partial=%v initial=%v", p.Match.Name, p.Match.Args, p.Match.CommandLine, p.Match.Partial, p.Match.Initial))
			field("quorum", fmt.Sprintf("%d..%d", p.Quorum, p.QuorumMax))
			field("fork_delay", p.ForkDelay)
			field("terminate_delay", p.TerminateDelay)
		}
		b.WriteString("\n")
	}
	for _, i := range c.Instances {
		v := i.VRRP
		line("instance", v.Name)
		field("interface", v.Interface)
		field("vrid", v.VRID)
		field("priority", v.Priority)
		if v.Version != 2 {
			field("version", v.Version)
		}
		field("ipv6", v.IPv6)
		field("plain_sum", v.PlainSum)
		field("advert_int", v.AdvertInterval)
		field("master", v.StartAsMaster)
		field("nopreempt", v.NoPreempt)
		field("source", v.Source)
		field("down_adverts", v.DownAdverts)
		field("preempt_delay", v.PreemptDelay)
		field("start_delay", v.StartDelay)
		field("dont_track_primary", v.DontTrackPrimary)
		field("lower_prio_no_advert", v.LowerPrioNoAdvert)
		field("no_higher_prio_advert", !v.HigherPrioSendAdvert)
		field("skip_check", v.SkipAddressCheck)
		if v.Auth.Type != 0 {
			fmt.Fprintf(b, " auth=%d:%q", v.Auth.Type, v.Auth.Data[:])
		}
		b.WriteString("\n")
		for _, p := range v.Peers {
			line("    peer", p.Addr.String())
			fmt.Fprintf(b, " ttl=%d..%d", p.MinTTL, p.MaxTTL)
			field("send_ttl", v.TTL)
			field("check", v.CheckPeers)
			b.WriteString("\n")
		}
		for _, p := range v.Paths {
			line("    path", p.Interface)
			field("source", p.Source)
			field("peers", p.Peers)
			field("send_ttl", p.TTL)
			b.WriteString("\n")
		}
		if s := i.VIP.Announce; s != vip.DefaultSchedule() {
			fmt.Fprintf(b, "    announce x%d again=%v conflict x%d again=%v refresh=%v x%d pauses=%v,%v\n",
				s.Repeat, s.Again, s.ConflictRepeat, s.ConflictAgain, s.Refresh, s.RefreshRepeat, s.ARPInterval, s.NAInterval)
		}
		if s := i.VIP.Announce; s.Extra > 0 || s.Form != 0 {
			fmt.Fprintf(b, "    announce extra=%v all=%t form=%s\n", s.Extra, s.ExtraAll, s.Form)
		}
		if i.VIP.Promote {
			b.WriteString("    promote_secondaries\n")
		}
		for n, a := range i.VIP.Addresses {
			line("    address", a.Prefix.String())
			field("dev", a.Interface)
			field("label", a.Label)
			field("scope", a.Scope)
			field("broadcast", a.Broadcast)
			field("peer", a.Peer)
			field("preference", a.Preference)
			field("noprefixroute", a.NoPrefixRoute)
			field("home", a.Home)
			field("mngtmpaddr", a.TempAddresses)
			if n >= len(v.Advertised) {
				b.WriteString(" excluded")
			} else if v.Advertised[n] != a.Prefix.Addr() {
				b.WriteString(" NOT ADVERTISED")
			}
			b.WriteString("\n")
		}
		if m := i.VIP.VMAC; m.Name != "" {
			fmt.Fprintf(b, "    vmac %s on %s %x adverts=%t\n", m.Name, m.Base, m.Hardware, v.VirtualMAC)
		}
		for _, m := range i.VIP.Others {
			fmt.Fprintf(b, "    vmac %s on %s %x\n", m.Name, m.Base, m.Hardware)
		}
		if i.VIP.NoAccept {
			b.WriteString("    no_accept\n")
		}
		dumpRouting(b, i.VIP)
		for _, t := range i.Tracks {
			line("    track", t.Probe)
			field("weight", t.Weight)
			field("reverse", t.Reverse)
			b.WriteString("\n")
		}
	}
	for _, a := range c.Static.Addresses {
		line("static address", a.Prefix.String())
		field("dev", a.Interface)
		field("label", a.Label)
		field("scope", a.Scope)
		field("broadcast", a.Broadcast)
		b.WriteString("\n")
	}
	dumpRouting(b, c.Static)
	for _, g := range c.Groups {
		line("group", g.Name)
		field("members", g.Members)
		b.WriteString("\n")
	}
	for _, d := range c.LinkDelays {
		fmt.Fprintf(b, "link delay %s down=%v up=%v\n", d.Interface, d.Down, d.Up)
	}
	for _, t := range c.Notify.Targets {
		if len(t.Scripts) == 0 && t.Any == nil && !t.Priorities && !t.Mail {
			continue
		}
		line("notify", t.Name)
		field("group", t.Group)
		field("priorities", t.Priorities)
		field("mail", t.Mail)
		b.WriteString("\n")
		for _, c := range (&checkscript.Notify{Targets: []checkscript.Target{t}}).Commands() {
			fmt.Fprintf(b, "    %s %q %s:%s\n", c.Keyword, c.Argv, c.User, c.Group)
		}
	}
}

func dumpRouting(b *strings.Builder, c vip.Config) {
	for _, r := range c.Routes {
		fmt.Fprintf(b, "    route %s%s\n", r, map[vip.Place]string{vip.Last: " (last)", vip.Alone: " (alone)"}[r.Place])
	}
	for _, r := range c.Rules {
		fmt.Fprintf(b, "    rule %s\n", r)
	}
}
