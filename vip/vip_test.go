package vip

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"baton/internal/mono"

	"github.com/cockroachdb/datadriven"
)

// TestDiff: each script block lists `have:` and `want:` lines and shows the plan.
func TestDiff(t *testing.T) {
	datadriven.RunTest(t, "testdata/diff.txt", func(t *testing.T, d *datadriven.TestData) string {
		var have, want Set
		for line := range strings.Lines(d.Input) {
			side, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			e := parseEntry(t, d, rest)
			switch side {
			case "have":
				have = append(have, e)
			case "want":
				want = append(want, e)
			default:
				d.Fatalf(t, "have or want, not %q", side)
			}
		}
		var b strings.Builder
		for _, s := range Diff(have, want) {
			fmt.Fprintf(&b, "%s %s on %s", s.Op, s.Prefix, s.Interface)
			if s.Label != "" {
				fmt.Fprintf(&b, " label %s", s.Label)
			}
			b.WriteByte('\n')
		}
		return b.String()
	})
}

// parseEntry reads "10.0.0.9/24 eth0 [label=L] [foreign]".
func parseEntry(t *testing.T, d *datadriven.TestData, s string) Entry {
	words := strings.Fields(s)
	p, err := netip.ParsePrefix(words[0])
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	e := Entry{Address: Address{Prefix: p, Interface: words[1]}}
	for _, w := range words[2:] {
		if l, ok := strings.CutPrefix(w, "label="); ok {
			e.Label = l
		}
		e.Foreign = e.Foreign || w == "foreign"
	}
	return e
}

// TestKeeper plays scripts in virtual time. The commands:
//
//	instances            one per line: NAME ADDRESS INTERFACE [ADDRESS INTERFACE ...]
//	                     then words for its schedule: again=5s repeat=5 conflict-again=5s
//	                     conflict-repeat=5 refresh=60s refresh-repeat=1 arp=0s na=0s,
//	                     extra=[all:]0s form=both vmac=NAME, or static=yes
//	up|down|announce|conflict N   the VRRP state machine's orders
//	run DURATION         time passes, the timer fires at each deadline
//	stall DURATION       time passes, nothing runs; then the timer
//	kernel remove|foreign|break|mend ADDRESS [INTERFACE]
//	missing              the watcher saw an address go
//	show                 holdings
//
// Long rows of renewals are shortened (brief), and each command ends with the
// next deadline.
func TestKeeper(t *testing.T) {
	datadriven.Walk(t, "testdata/keeper", func(t *testing.T, path string) {
		var s *sim
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			arg := func(i int) string {
				if i >= len(d.CmdArgs) {
					d.Fatalf(t, "argument %d is missing", i+1)
				}
				return d.CmdArgs[i].Key
			}
			duration := func() mono.Time {
				v, err := time.ParseDuration(arg(0))
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				return s.now.Add(v)
			}
			switch d.Cmd {
			case "instances":
				s = &sim{k: NewKeeper(parseInstances(t, d))}
				return ""
			case "up":
				s.step(Event{Kind: Up, Instance: arg(0)})
			case "down":
				s.step(Event{Kind: Down, Instance: arg(0)})
			case "announce":
				s.step(Event{Kind: Announce, Instance: arg(0)})
			case "conflict":
				s.step(Event{Kind: Announce, Conflict: true, Instance: arg(0)})
			case "missing":
				s.step(Event{Kind: Missing})
			case "run":
				s.run(duration())
			case "stall":
				s.now = duration()
				s.step(Event{Kind: Timer})
			case "kernel":
				s.order(t, d, arg)
			case "show":
				return s.show()
			default:
				d.Fatalf(t, "unknown command")
			}
			out := brief(s.trace.String())
			s.trace.Reset()
			return out + "next: " + when(s.k.Deadline()) + "\n"
		})
	})
}

func parseInstances(t *testing.T, d *datadriven.TestData) []Config {
	var cfgs []Config
	for line := range strings.Lines(d.Input) {
		words := strings.Fields(line)
		c := Config{Instance: words[0]}
		c.Announce = DefaultSchedule()
		for w := words[1:]; len(w) > 0; {
			if v, ok := strings.CutPrefix(w[0], "vmac="); ok {
				c.VMAC.Name, w = v, w[1:]
				continue
			}
			if w[0] == "static=yes" {
				c.Static, w = true, w[1:]
				continue
			}
			if key, value, ok := strings.Cut(w[0], "="); ok {
				setSchedule(t, d, &c.Announce, key, value)
				w = w[1:]
				continue
			}
			c.Addresses = append(c.Addresses, parseEntry(t, d, w[0]+" "+w[1]).Address)
			w = w[2:]
		}
		cfgs = append(cfgs, c)
	}
	return cfgs
}

func setSchedule(t *testing.T, d *datadriven.TestData, s *Schedule, key, value string) {
	var err error
	switch key {
	case "repeat":
		s.Repeat, err = strconv.Atoi(value)
	case "conflict-repeat":
		s.ConflictRepeat, err = strconv.Atoi(value)
	case "refresh-repeat":
		s.RefreshRepeat, err = strconv.Atoi(value)
	case "again":
		s.Again, err = time.ParseDuration(value)
	case "conflict-again":
		s.ConflictAgain, err = time.ParseDuration(value)
	case "refresh":
		s.Refresh, err = time.ParseDuration(value)
	case "arp":
		s.ARPInterval, err = time.ParseDuration(value)
	case "extra":
		value, s.ExtraAll = strings.TrimPrefix(value, "all:"), strings.HasPrefix(value, "all:")
		s.Extra, err = time.ParseDuration(value)
	case "form":
		s.Form = map[string]ARPForm{"reply": ARPReply, "both": ARPBoth}[value]
	case "na":
		s.NAInterval, err = time.ParseDuration(value)
	default:
		d.Fatalf(t, "unknown word %q", key)
	}
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
}

// order does something to the kernel from outside.
func (s *sim) order(t *testing.T, d *datadriven.TestData, arg func(int) string) {
	p, err := netip.ParsePrefix(arg(1))
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	switch arg(0) {
	case "remove":
		for i, a := range s.kernel {
			if a.Prefix == p {
				s.kernel = append(s.kernel[:i], s.kernel[i+1:]...)
				return
			}
		}
		d.Fatalf(t, "the kernel has no %s", p)
	case "foreign":
		s.kernel = append(s.kernel, simAddr{Entry: Entry{Address: Address{Prefix: p, Interface: arg(2)}, Foreign: true}})
	case "break":
		s.broken = append(s.broken, p)
	case "mend":
		s.broken = nil
	default:
		d.Fatalf(t, "unknown order")
	}
}

func (s *sim) show() string {
	var b strings.Builder
	for _, h := range s.k.Holdings() {
		for i, l := range h.Leases {
			fmt.Fprintf(&b, "%s %s wanted=%t held=%t remaining=%s\n", h.Config.Instance, h.Config.Addresses[i].Prefix, h.Wanted, l.Held, l.Remaining(s.now))
		}
	}
	for _, a := range s.kernel {
		fmt.Fprintf(&b, "kernel: %s on %s", a.Prefix, a.Interface)
		if a.Foreign {
			b.WriteString(" (foreign)")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// brief leaves out all but the first and the last of many renewals in a row.
func brief(trace string) string {
	lines := strings.SplitAfter(trace, "\n")
	var out []string
	skipped := 0
	for i, l := range lines {
		isRenew := func(j int) bool {
			return j >= 0 && j < len(lines) && strings.Contains(lines[j], ": renew ") && !strings.Contains(lines[j], "FAILS")
		}
		if isRenew(i-1) && isRenew(i) && isRenew(i+1) {
			skipped++
			continue
		}
		if skipped > 0 {
			out, skipped = append(out, fmt.Sprintf("  (%d renewals)\n", skipped)), 0
		}
		out = append(out, l)
	}
	return strings.Join(out, "")
}

func when(t mono.Time) string {
	if t == mono.Never {
		return "never"
	}
	return time.Duration(t).String()
}

// FuzzKeeper plays random orders against the simulated kernel. However they
// come, foreign addresses stay, nobody announces what is not held, and when all
// is quiet the kernel has what is wanted and nothing else.
func FuzzKeeper(f *testing.F) {
	f.Add([]byte("\x00\x10\x01\x30\x52\x40"))
	f.Add([]byte{0, 2, 0x33, 5, 6, 0x64, 1, 3, 7, 0xff})
	f.Fuzz(func(t *testing.T, script []byte) {
		script = script[:min(len(script), 100)] // longer ones show nothing more
		vip := func(s string) Address { return Address{Prefix: netip.MustParsePrefix(s), Interface: "eth0"} }
		cfgs := []Config{
			{Instance: "A", Addresses: []Address{vip("10.0.0.9/24"), vip("10.0.0.10/32")}},
			{Instance: "B", Addresses: []Address{vip("10.0.0.11/24")}},
		}
		all := []Address{cfgs[0].Addresses[0], cfgs[0].Addresses[1], cfgs[1].Addresses[0]}
		s := &sim{k: NewKeeper(cfgs), kernel: []simAddr{{Entry: Entry{Address: vip("10.0.0.1/24"), Foreign: true}}}}
		for _, b := range script {
			name := string('A' + rune(b>>3&1))
			switch b & 7 {
			case 0:
				s.step(Event{Kind: Up, Instance: name})
			case 1:
				s.step(Event{Kind: Down, Instance: name})
			case 2:
				s.step(Event{Kind: Announce, Instance: name})
			case 3:
				s.run(s.now.Add(time.Duration(b>>3) * 70 * time.Millisecond))
			case 4: // a stall
				s.now = s.now.Add(time.Duration(b>>3) * 200 * time.Millisecond)
				s.step(Event{Kind: Timer})
			case 5:
				s.broken = append(s.broken, all[int(b>>3)%len(all)].Prefix)
			case 6:
				s.broken = nil
			case 7:
				if n := len(s.kernel); n > 1 {
					s.kernel = s.kernel[:n-1]
				}
			}
			if !s.kernel[0].Foreign {
				t.Fatal("the foreign address is gone")
			}
		}
		for line := range strings.Lines(s.trace.String()) {
			if strings.Contains(line, "10.0.0.1/24") {
				t.Fatalf("touched the foreign address: %s", line)
			}
		}
		s.broken = nil
		s.run(s.now.Add(10 * time.Second))
		s.expire() // what no instance holds any more has run out
		want := s.k.Want(nil)
		if len(s.kernel) != 1+len(want) {
			t.Fatalf("the kernel has %d addresses, want %d besides the foreign one\n%s", len(s.kernel)-1, len(want), s.trace.String())
		}
		for _, h := range s.k.Holdings() {
			for i, l := range h.Leases {
				if l.Held != h.Wanted {
					t.Fatalf("%s: wanted %t, held %t", h.Config.Addresses[i].Prefix, h.Wanted, l.Held)
				}
			}
		}
	})
}
