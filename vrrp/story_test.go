package vrrp

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/vrrp/packet"

	"github.com/cockroachdb/datadriven"
)

// TestStories plays one instance against scripted neighbours in virtual time.
//
//	node [addr=A] [prio=N] [advert=2s] [nopreempt] [owner] [v3] [vips=(..)] [pass=P] [paths=N]   a new one, at 0 s
//	group prio=(N,N..) [..]                  a new sync group, its members like node otherwise
//	start
//	run for=D | until=T       the time passes; timers fire when they are due
//	wake asleep=D             the process stood still for D: no timer fired in that time
//	link up|down|missing|nosocket [addr=A|none]
//	health [delta=N] [fault] [pending]
//	slept for=D               the machine was suspended for D, which the clock did not count
//	advert from=A prio=N [path=N] [advert=2s] [pass=P] [vips=(..)] [every=D for=D]
//	overdue                   adverts that are due are sent amid a batch
//	ahead                     adverts that are almost due are sent together with others
//	fail                      the addresses that were just set up could not be set
//	stop | remove
//	reload [node's or group's arguments] [add] [sync]  another configuration; add: its last member is new; sync: of a sync group now
//	peer gone|left|waits|asks|withdraws|back from=A [prio=N]    what the pair link tells
//	yield to=A | keep | resign
//
// All but run take at=T or after=D to let the time pass first, or asleep=D to let
// it pass without timers. Every line of output is an action, at its time; the last
// line is what the instance is at and when it wants to be called.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{t: t}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			return s.command(d)
		})
	})
}

type story struct {
	t      *testing.T
	g      *Group
	now    mono.Time
	out    strings.Builder
	holds  []bool // the addresses are up: only ever in MASTER, checked after each step
	synced bool
	member int // whom the present command is for: member=N of a group, from 1
}

func (s *story) command(d *datadriven.TestData) string {
	s.out.Reset()
	if d.HasArg("at") {
		s.run(mono.Time(s.duration(d, "at")))
	}
	if d.HasArg("after") {
		s.run(s.now.Add(s.duration(d, "after")))
	}
	if d.HasArg("asleep") {
		s.now = s.now.Add(s.duration(d, "asleep"))
	}
	s.member = 0
	if d.HasArg("member") {
		d.ScanArgs(s.t, "member", &s.member)
		s.member--
	}
	switch d.Cmd {
	case "node":
		s.now, s.holds, s.synced = 0, make([]bool, 1), false
		s.g = NewGroup(s.config(d, 0))
	case "group":
		var members []Config
		for n := range d.CmdArgs[0].Vals {
			members = append(members, s.config(d, n))
		}
		s.now, s.holds, s.synced = 0, make([]bool, len(members)), true
		s.g = NewSyncGroup(members...)
	case "start":
		s.step(Event{Kind: Start})
	case "slept":
		s.step(Event{Kind: Slept, Asleep: s.duration(d, "for")})
	case "stop":
		s.step(Event{Kind: Shutdown})
	case "remove":
		s.step(Event{Kind: Remove})
	case "reload":
		s.reload(d)
	case "overdue":
		s.do(s.g.Overdue(s.now, nil))
	case "ahead":
		s.do(s.g.Ahead(s.now, nil))
	case "fail":
		s.step(Event{Kind: AddressesFailed})
	case "run":
		to := s.now
		if d.HasArg("until") {
			to = mono.Time(s.duration(d, "until"))
		} else {
			to = to.Add(s.duration(d, "for"))
		}
		s.run(to)
	case "wake":
		s.step(Event{Kind: Timer})
	case "link":
		s.step(s.link(d))
	case "health":
		ev := Event{Kind: Health, Fault: d.HasArg("fault"), Pending: d.HasArg("pending")}
		if d.HasArg("delta") {
			d.ScanArgs(s.t, "delta", &ev.Delta)
		}
		s.step(ev)
	case "advert":
		s.advert(d)
	case "peer":
		s.step(s.peer(d))
	case "yield":
		s.step(Event{Kind: Yield, From: netip.MustParseAddr(s.text(d, "to"))})
	case "keep":
		s.step(Event{Kind: Keep})
	case "resign":
		s.step(Event{Kind: Resign})
	default:
		d.Fatalf(s.t, "unknown command %q", d.Cmd)
	}
	for n := range s.holds {
		i := s.g.Member(n)
		next := "never"
		if i.Deadline() != mono.Never {
			next = stamp(i.Deadline())
		}
		fmt.Fprintf(&s.out, "%s %s%v, priority %d, next at %s\n", stamp(s.now), s.name(n), i.State(), i.Priority(), next)
		for p, sight := range i.PathSights() {
			fmt.Fprintf(&s.out, "%s   path %d %v since %s\n", stamp(s.now), p, sight.Sighting, stamp(sight.Since))
		}
	}
	return s.out.String()
}

// name is what the lines about a member of a group begin with.
func (s *story) name(member int) string {
	if !s.synced {
		return ""
	}
	return fmt.Sprintf("%d: ", member+1)
}

func (s *story) config(d *datadriven.TestData, member int) Config {
	c := Config{Name: "VI", VRID: 51, Priority: 100, AdvertInterval: time.Second, Advertised: s.addresses(d)}
	if d.HasArg("prio") {
		arg, _ := d.Arg("prio")
		n, err := strconv.ParseUint(arg.Vals[member], 10, 8)
		if err != nil {
			d.Fatalf(s.t, "prio: %v", err)
		}
		c.Priority = uint8(n)
	}
	if d.HasArg("preempt-delay") {
		c.PreemptDelay = s.duration(d, "preempt-delay")
	}
	if d.HasArg("start-delay") {
		c.StartDelay = s.duration(d, "start-delay")
	}
	if d.HasArg("down-adverts") {
		d.ScanArgs(s.t, "down-adverts", &c.DownAdverts)
	}
	c.DontTrackPrimary = d.HasArg("dont-track-primary")
	c.LowerPrioNoAdvert = d.HasArg("lower-no-advert")
	c.HigherPrioSendAdvert = d.HasArg("higher-send-advert")
	c.SkipAddressCheck = d.HasArg("skip-address-check")
	if d.HasArg("advert") {
		c.AdvertInterval = s.duration(d, "advert")
	}
	if d.HasArg("src") {
		c.Source = netip.MustParseAddr(s.text(d, "src"))
	}
	c.NoPreempt = d.HasArg("nopreempt")
	c.StartAsMaster = d.HasArg("master")
	if d.HasArg("v3") {
		c.Version = 3
	}
	c.Auth = s.auth(d)
	if d.HasArg("paths") {
		n := 0
		d.ScanArgs(s.t, "paths", &n)
		c.Paths = make([]Path, n)
	}
	return c
}

func (s *story) auth(d *datadriven.TestData) (a packet.Auth) {
	if d.HasArg("pass") {
		a.Type = packet.AuthSimple
		copy(a.Data[:], s.text(d, "pass"))
	}
	return a
}

func (s *story) addresses(d *datadriven.TestData) []netip.Addr {
	list := []netip.Addr{netip.MustParseAddr("10.0.0.100")}
	for _, a := range d.CmdArgs {
		if a.Key == "vips" {
			list = nil
			for _, v := range a.Vals {
				list = append(list, netip.MustParseAddr(v))
			}
		}
	}
	return list
}

func (s *story) link(d *datadriven.TestData) Event {
	ev := Event{Kind: Link, Source: netip.MustParseAddr("10.0.0.1")}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "down":
			ev.Faults |= LinkDown
		case "missing":
			ev.Faults |= LinkMissing
		case "nosocket":
			ev.Faults |= NoSocket
		case "addr":
			ev.Source, _ = netip.ParseAddr(a.Vals[0])
		}
	}
	return ev
}

func (s *story) peer(d *datadriven.TestData) Event {
	kinds := map[string]EventKind{"gone": PeerGone, "left": PeerLeft, "waits": PeerWaits, "asks": Succeed, "withdraws": Withdraw, "back": PeerBack}
	kind, ok := kinds[d.CmdArgs[0].Key]
	if !ok {
		d.Fatalf(s.t, "peer does not %q", d.CmdArgs[0].Key)
	}
	ev := Event{Kind: kind, From: netip.MustParseAddr(s.text(d, "from"))}
	if d.HasArg("prio") {
		d.ScanArgs(s.t, "prio", &ev.Priority)
	}
	return ev
}

func (s *story) advert(d *datadriven.TestData) {
	a := packet.Advert{Version: s.g.Member(0).Config().Version, VRID: 51, Interval: time.Second, Addresses: s.addresses(d), Auth: s.auth(d)}
	if d.HasArg("advert") {
		a.Interval = s.duration(d, "advert")
	}
	d.ScanArgs(s.t, "prio", &a.Priority)
	ev := Event{Kind: Heard, Advert: &a, From: netip.MustParseAddr(s.text(d, "from"))}
	if d.HasArg("path") {
		d.ScanArgs(s.t, "path", &ev.Path)
	}
	if !d.HasArg("every") {
		s.step(ev)
		return
	}
	every := s.duration(d, "every")
	for end := s.now.Add(s.duration(d, "for")); s.now <= end; s.run(s.now.Add(every)) {
		s.step(ev)
	}
}

// run fires every timer up to and including to.
func (s *story) run(to mono.Time) {
	if to < s.now {
		s.t.Fatalf("time runs backwards: %s to %s", stamp(s.now), stamp(to))
	}
	for s.g.Deadline() <= to {
		s.now = s.g.Deadline()
		s.step(Event{Kind: Timer})
	}
	s.now = to
}

func (s *story) step(ev Event) {
	ev.Member = s.member
	s.do(s.g.Step(s.now, ev, nil))
}

func (s *story) do(actions []Action) {
	for _, a := range actions {
		if a.Kind == SetVIPs {
			s.holds[a.Member] = a.Up
		}
		name := s.name(a.Member)
		if a.Kind == NotifyGroup {
			name = ""
		}
		fmt.Fprintf(&s.out, "%s   %s%s\n", stamp(s.now), name, strings.TrimLeft(describe(a), " "))
	}
	for n, up := range s.holds {
		if up && s.g.Member(n).State() != Master {
			s.t.Fatalf("addresses outside MASTER at %s", stamp(s.now))
		}
	}
}

func (s *story) duration(d *datadriven.TestData, key string) time.Duration {
	v, err := time.ParseDuration(s.text(d, key))
	if err != nil {
		d.Fatalf(s.t, "%s: %v", key, err)
	}
	return v
}

func (s *story) text(d *datadriven.TestData, key string) (v string) {
	d.ScanArgs(s.t, key, &v)
	return v
}

func stamp(t mono.Time) string {
	return strconv.FormatFloat(time.Duration(t).Seconds(), 'f', 3, 64) + "s"
}

func describe(a Action) string {
	peer := ""
	if a.Peer.IsValid() {
		peer = fmt.Sprintf(" (%v, priority %d)", a.Peer, a.PeerPriority)
	}
	switch a.Kind {
	case SendAdvert:
		return fmt.Sprintf("  send advert, priority %d", a.Priority)
	case SetVIPs:
		if a.Up {
			return "  addresses up"
		}
		return "  addresses down"
	case Announce:
		if a.Conflict {
			return "  announce (conflict)"
		}
		return "  announce"
	case Notify:
		faults := ""
		if a.Faults != 0 {
			faults = ": " + a.Faults.String()
		}
		return fmt.Sprintf("  %v -> %v: %v%s%s", a.From, a.State, a.Why, faults, peer)
	case NotifyGroup:
		return fmt.Sprintf("  group: %v -> %v: %v", a.From, a.State, a.Why)
	case Drop:
		if a.Reason == packet.Addresses {
			return fmt.Sprintf("  note: advert of %v: %v", a.Peer, a.Reason)
		}
		return fmt.Sprintf("  drop advert of %v: %v", a.Peer, a.Reason)
	case Trace:
		faults := ""
		if a.Note == FaultsChanged {
			faults = ": " + a.Faults.String()
		}
		if a.Note == IntervalAdopted {
			faults = fmt.Sprintf(": %v", a.Interval)
		}
		if a.Note == PathSilent || a.Note == PathSeen {
			faults = fmt.Sprintf(" %d", a.Path)
		}
		if a.Note == PriorityChanged {
			faults = fmt.Sprintf(": %d", a.Priority)
		}
		return fmt.Sprintf("  note: %v%s%s", a.Note, faults, peer)
	}
	return fmt.Sprintf("  action %d", a.Kind)
}

// reload goes on with another configuration, which `node` or `group` would make.
func (s *story) reload(d *datadriven.TestData) {
	n, state := 1, s.g.State()
	s.synced = s.synced || d.HasArg("sync")
	if s.synced {
		n = len(d.CmdArgs[0].Vals)
	}
	joining := make([]Joining, n)
	for i := range joining {
		joining[i].Config = s.config(d, i)
		if !d.HasArg("add") || i < n-1 {
			joining[i].Was = s.g.Member(i)
		}
	}
	var out []Action
	s.g, out = Continue(s.now, s.synced, state, joining, nil)
	s.holds = append(s.holds[:min(n, len(s.holds))], make([]bool, max(n-len(s.holds), 0))...)
	s.do(out)
}

// TestStoriesAreComplete: every cause of a change of state, every note and every fault
// is in a story, and so is every way from a state to another that there is.
func TestStoriesAreComplete(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	want := func(text string) {
		if !strings.Contains(all.String(), text) {
			t.Errorf("in no story: %q", text)
		}
	}
	for w := Started; w.String() != "unknown cause"; w++ {
		want(": " + w.String())
	}
	for n := range NumNotes {
		want("note: " + n.String())
	}
	Faults(2*lastFault - 1).Each(func(one Faults) { want(one.String()) })
	for from, to := range map[State][]State{
		Init: {Backup, Master, Fault}, Backup: {Master, Fault, Init}, Master: {Backup, Fault, Init}, Fault: {Backup, Init},
	} {
		for _, s := range to {
			want(fmt.Sprintf("%v -> %v: ", from, s))
		}
	}
}
