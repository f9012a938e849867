package vrrp

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/vrrp/packet"
)

var modelRuns = flag.Int("model.runs", 150, "random networks to play")

// TestModel plays random networks of 2 to 5 nodes: adverts are lost and delayed,
// partitions come and go, nodes die, return, stop in order, stand still, fall ill, are
// suspended with their clocks.
// Throughout, addresses are up in MASTER only, and an instance with nopreempt
// takes over from nobody whom it hears. When the network has been whole and calm
// for one master-down interval and one advert interval (at most 5 intervals), there
// is exactly one master, and where all may preempt it has the highest priority. In
// every third network the nodes have sync groups of two: their members are in the
// same state at any time, whatever is lost of the adverts of one of them.
//
// In every fifth network the nodes have a second heartbeat path with partitions and
// losses of its own, and delays that may be longer than the master-down interval.
//
// The first two nodes also have a link, which loses words, delays them and lies
// about ends; it may shorten the way to that outcome, and never change it.
func TestModel(t *testing.T) {
	for seed := range uint64(*modelRuns) {
		m := newModel(t, seed)
		for round := range 4 {
			m.disturb()
			m.calm()
			if m.failed {
				t.Fatalf("seed %d, round %d; the last steps:\n%s", seed, round, m.tail())
			}
		}
	}
}

type model struct {
	t   *testing.T
	rng *rand.Rand

	size int // instances of a node: 1, or 2 in a sync group

	// Version 3 plays with IPv6 or IPv4 and with intervals that differ from node to
	// node; interval is the longest of them, and what trouble is measured in.
	version  uint8
	ipv6     bool
	interval time.Duration

	now    mono.Time
	nodes  []*node
	mail   []delivery // in no order; few
	loss   float64
	paths  int // heartbeat paths, 1 or 2
	apart  [2][5][5]bool
	slow   time.Duration // how long an advert by the second path may take
	failed bool
	log    []string

	clients clients
}

type node struct {
	name    string
	cfg     Config
	addr    netip.Addr
	g       *Group
	alive   bool
	asleep  mono.Time     // stands still until then
	naps    time.Duration // suspended then: the clock stands still, too, for so long
	lost    time.Duration // by which its clock is behind
	queue   []delivery
	holds   [2]bool
	ill     bool
	delta   int
	heardAt [2]mono.Time // last advert of priority > 0 that reached it, when nopreempt
	toldAt  mono.Time    // the last word by the link that starts an election
	resign  [2]bool
	eager   bool // its adverts leave as early as they may
}

type delivery struct {
	at     mono.Time
	to     int
	member int
	path   int
	from   netip.Addr
	advert []byte
	word   EventKind // by the link, when advert is nil
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{t: t, rng: rand.New(rand.NewPCG(seed, 18)), version: 2, interval: time.Second, size: 1 + int(seed%3)/2}
	virtual := netip.MustParseAddr("10.0.0.100")
	if seed%2 == 1 {
		m.version, m.ipv6 = 3, m.rng.IntN(2) == 0
		m.interval = []time.Duration{10, 100, 1000, 40950}[m.rng.IntN(4)] * time.Millisecond
	}
	if m.ipv6 {
		virtual = netip.MustParseAddr("fe80::64")
	}
	count := 2 + m.rng.IntN(4)
	m.paths, m.slow = 1+int(seed%5)/4, []time.Duration{m.interval / 100, m.interval / 2, 5 * m.interval}[m.rng.IntN(3)]
	nopreempt := m.rng.IntN(3) == 0
	for i := range count {
		n := &node{name: string(rune('a' + i)), eager: m.rng.IntN(2) == 0, addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + i)})}
		if m.ipv6 {
			n.addr = netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 15: byte(1 + i)})
		}
		n.cfg = Config{
			Name: n.name, Version: m.version, IPv6: m.ipv6, VRID: 51, Priority: uint8(1 + m.rng.IntN(254)), AdvertInterval: m.interval,
			NoPreempt: nopreempt && m.rng.IntN(2) == 0, Advertised: []netip.Addr{virtual},
			Paths: make([]Path, m.paths-1),
		}
		if m.version == 3 && m.rng.IntN(3) == 0 {
			n.cfg.AdvertInterval = max(10*time.Millisecond, m.interval/10/(10*time.Millisecond)*(10*time.Millisecond))
		}
		if i > 0 && m.rng.IntN(4) == 0 {
			n.cfg.Priority = m.nodes[0].cfg.Priority
		}
		m.nodes = append(m.nodes, n)
		m.say("node %s version %d interval %v priority %d nopreempt %v", n.name, m.version, n.cfg.AdvertInterval, n.cfg.Priority, n.cfg.NoPreempt)
	}
	for i := range m.nodes {
		m.boot(i)
	}
	return m
}

func (m *model) boot(i int) {
	n := m.nodes[i]
	n.alive, n.asleep, n.naps, n.queue, n.holds = true, 0, 0, nil, [2]bool{}
	n.toldAt = -mono.Time(time.Hour)
	n.heardAt, n.resign = [2]mono.Time{-mono.Time(time.Hour), -mono.Time(time.Hour)}, [2]bool{}
	n.g = NewGroup(n.cfg)
	if m.size == 2 {
		n.g = NewSyncGroup(n.cfg, n.cfg)
	}
	for k := range m.size {
		m.step(i, Event{Kind: Link, Member: k, Source: n.addr})
	}
	m.health(i)
	m.step(i, Event{Kind: Start})
}

// pseudo is the pseudo header of what a node sends.
func (m *model) pseudo(from netip.Addr) packet.Pseudo {
	if m.ipv6 {
		return packet.Pseudo{Source: from, Destination: packet.Group6()}
	}
	return packet.Pseudo{Source: from, Destination: packet.Group()}
}

// disturb lets 5 to 25 intervals of trouble pass.
func (m *model) disturb() {
	m.loss = []float64{0, 0.1, 0.5}[m.rng.IntN(3)]
	end := m.now.Add(time.Duration(5+m.rng.IntN(20)) * m.interval)
	for m.now < end && !m.failed {
		m.run(m.now.Add(time.Duration(m.rng.IntN(1500)) * m.interval / 1000))
		i := m.rng.IntN(len(m.nodes))
		n := m.nodes[i]
		path := m.rng.IntN(m.paths)
		switch m.rng.IntN(13) {
		case 0, 1:
			j, apart := m.rng.IntN(len(m.nodes)), &m.apart[path]
			apart[i][j] = !apart[i][j] // one direction: the nastier kind
			m.say("%s to %s by path %d cut %v", n.name, m.nodes[j].name, path, apart[i][j])
		case 2:
			for j := range m.nodes {
				m.apart[path][i][j], m.apart[path][j][i] = true, true
			}
			m.say("%s is alone on path %d", n.name, path)
		case 3:
			m.apart = [2][5][5]bool{}
			m.say("whole")
		case 4:
			if n.alive {
				m.say("%s is killed", n.name)
				n.alive, n.holds = false, [2]bool{} // the lease ends; how soon is not this model's matter
				m.linkSays(i, PeerGone)
			} else {
				m.boot(i)
			}
		case 5:
			if n.alive && n.asleep <= m.now {
				m.say("%s stops", n.name)
				m.step(i, Event{Kind: Shutdown})
				n.alive = false
			}
		case 6:
			if n.naps > 0 {
				break // a suspended machine's process cannot be stopped as well
			}
			n.asleep = m.now.Add(time.Duration(m.rng.IntN(9000)) * m.interval / 1000)
			m.say("%s stands still until %v", n.name, time.Duration(n.asleep))
		case 12:
			if n.asleep <= m.now {
				n.naps = time.Duration(m.rng.IntN(9000)) * m.interval / 1000
				n.asleep = m.now.Add(n.naps)
				m.say("%s is suspended until %v", n.name, time.Duration(n.asleep))
			}
		case 7:
			n.ill = !n.ill
			m.health(i)
		case 8:
			m.say("a forged end of %s", n.name)
			m.linkSays(i, PeerGone)
		case 9:
			m.handover(i)
		case 10:
			if n.alive && n.asleep <= m.now {
				m.step(i, Event{Kind: Resign})
			}
		case 11:
			n.delta = m.rng.IntN(200) - 100
			m.health(i)
		}
	}
}

func (m *model) health(i int) {
	n := m.nodes[i]
	if n.alive && n.asleep <= m.now {
		// What is wrong with one member is so with the group; weights are the group's.
		for k := range m.size {
			m.step(i, Event{Kind: Health, Member: k, Delta: n.delta, Fault: n.ill && k == 0})
		}
	}
}

// calm makes the network whole, wakes and boots everybody, and looks at the end.
func (m *model) calm() {
	m.say("--- calm")
	m.loss, m.apart = 0, [2][5][5]bool{}
	for i, n := range m.nodes {
		if n.asleep > m.now {
			n.naps = max(0, n.naps-n.asleep.Sub(m.now)) // it wakes up now
		}
		n.asleep = m.now
		if !n.alive {
			m.boot(i)
		}
		n.ill = false
		m.health(i)
	}
	rest := 5*m.interval + 2*HandoverTime // a handover that was asked for holds for a time
	if m.paths == 2 {
		rest += m.slow + 4*m.interval // what is still under way, and what a resignation voids
	}
	m.run(m.now.Add(rest))

	var masters []*node
	best, mayPreempt := uint8(0), true
	for _, n := range m.nodes {
		i := n.g.Member(0)
		if i.State() == Master {
			masters = append(masters, n)
		}
		best = max(best, i.Priority())
		mayPreempt = mayPreempt && !n.cfg.NoPreempt
		for k := range m.size { // one member that has handed over holds its group back
			mayPreempt = mayPreempt && !n.g.Member(k).Yielded()
		}
	}
	switch {
	case len(masters) != 1:
		m.fail("%d masters in a whole network", len(masters))
	case mayPreempt && masters[0].g.Member(0).Priority() != best:
		m.fail("%s is master with priority %d, the best is %d", masters[0].name, masters[0].g.Member(0).Priority(), best)
	}
}

// run lets the time pass until to: timers, deliveries and awakenings in order.
func (m *model) run(to mono.Time) {
	for !m.failed {
		next, what := to, func() {}
		consider := func(at mono.Time, f func()) {
			if at < next {
				next, what = at, f
			}
		}
		for i, n := range m.nodes {
			if n.alive {
				// The shell's order: what waits in the sockets first, then the timers.
				if len(n.queue) > 0 {
					consider(max(n.asleep, n.queue[0].at), func() { m.receive(i) })
				}
				due := n.g.Deadline().Add(n.lost)
				consider(max(due, n.asleep), func() { m.step(i, Event{Kind: Timer}) })
				if early := due.Add(-Lead(n.cfg.AdvertInterval)); n.eager && early > m.now {
					consider(max(early, n.asleep), func() { m.takeAlong(i) })
				}
			}
		}
		for k := range m.mail {
			consider(m.mail[k].at, func() {
				d := m.mail[k]
				m.mail = append(m.mail[:k], m.mail[k+1:]...)
				m.nodes[d.to].queue = append(m.nodes[d.to].queue, d)
			})
		}
		if next >= to {
			m.now = to
			return
		}
		m.now = max(m.now, next)
		what()
	}
}

func (m *model) receive(i int) {
	n := m.nodes[i]
	d := n.queue[0]
	n.queue = n.queue[1:]
	if d.advert == nil {
		m.step(i, Event{Kind: d.word, Member: d.member, From: d.from})
		return
	}
	// A process that slept fences itself before it reads (Group.Stalled).
	m.wake(i)
	if n.g.Stalled(m.local(n)) {
		m.step(i, Event{Kind: Timer})
	}
	var a packet.Advert
	if r := a.Parse(d.advert, n.cfg.Version, m.pseudo(d.from)); r != packet.OK {
		m.fail("an advert of ours: %v", r)
		return
	}
	ev := Event{Kind: Heard, Member: d.member, From: d.from, Advert: &a, Path: d.path}
	belated := n.g.Member(d.member).belated(m.local(n), ev)
	if m.step(i, ev); belated {
		return
	}
	n.resign[d.member] = a.Priority == 0
	if a.Priority > 0 {
		n.heardAt[d.member] = m.now
	}
}

// shortest is the shortest interval that a master may have: a backup of version 3
// counts in the master's, whatever its own is.
func (m *model) shortest() time.Duration {
	d := m.interval
	for _, n := range m.nodes {
		d = min(d, n.cfg.AdvertInterval)
	}
	return d
}

// local is a node's own clock.
func (m *model) local(n *node) mono.Time { return m.now.Add(-n.lost) }

// wake tells a node that was suspended, before anything else.
func (m *model) wake(i int) {
	n := m.nodes[i]
	if nap := n.naps; nap > 0 && n.asleep <= m.now {
		n.naps = 0
		n.lost += nap
		m.say("%s wakes up after %v", n.name, nap)
		long := nap > n.g.Member(0).MasterDown()
		if m.step(i, Event{Kind: Slept, Asleep: nap}); long && n.g.Member(0).State() == Master {
			m.fail("%s is MASTER after it was suspended for %v", n.name, nap)
		}
	}
}

func (m *model) step(i int, ev Event) {
	m.carryOut(i, ev, func(g *Group, now mono.Time) []Action { return g.Step(now, ev, nil) })
}

// takeAlong has a node send its advert early, as a shell does that sends others.
func (m *model) takeAlong(i int) {
	m.carryOut(i, Event{Kind: Timer}, func(g *Group, now mono.Time) []Action { return g.Ahead(now, nil) })
}

func (m *model) carryOut(i int, ev Event, step func(*Group, mono.Time) []Action) {
	m.wake(i)
	n := m.nodes[i]
	was := n.g.Member(0).State()
	silence, resigned := m.now.Sub(max(n.heardAt[0], n.heardAt[m.size-1])), n.resign[0] || n.resign[m.size-1]
	for _, a := range step(n.g, m.local(n)) {
		m.say("%s %s", n.name, describe(a))
		switch a.Kind {
		case SendAdvert:
			// The last advert before a better one has the addresses (HigherPrioSendAdvert) is a MASTER's still.
			if a.Priority > 0 && n.g.Member(a.Member).State() != Master && !(was == Master && n.cfg.HigherPrioSendAdvert) {
				m.fail("%s sends an advert as %v", n.name, n.g.Member(a.Member).State())
			}
			m.send(i, a.Member, a.Priority)
		case SetVIPs:
			n.holds[a.Member] = a.Up
		case Announce:
			m.clients.hear(m, i, a.Member)
		}
	}
	is := n.g.Member(0).State()
	for k := range m.size {
		switch s := n.g.Member(k).State(); {
		case n.holds[k] != (s == Master):
			m.fail("%s: addresses up %v in %v", n.name, n.holds[k], s)
		case s != is:
			m.fail("%s: members in %v and %v", n.name, is, s)
		}
	}
	// A handover, and an end that seemed one, come before the silence; a member of a
	// group may wait for the others then. Who is alive after all answers, which the
	// look at the end proves.
	if ev.Kind == PeerGone || ev.Kind == Succeed {
		n.toldAt = m.now
	}
	told := m.now.Sub(n.toldAt) < 3*m.interval
	if n.cfg.NoPreempt && was == Backup && is == Master && !resigned && !told && silence < 3*m.shortest() {
		m.fail("%s has nopreempt and took over %v after it heard a master", n.name, silence)
	}
}

// linkSays lets the other end of i's link hear of it, sooner or later or never.
func (m *model) linkSays(i int, word EventKind) {
	if i > 1 || m.rng.Float64() < m.loss {
		return
	}
	delay := time.Duration(m.rng.IntN(20000)) * m.interval / 1_000_000
	for k := range m.size {
		m.mail = append(m.mail, delivery{at: m.now.Add(delay), to: 1 - i, member: k, from: m.nodes[i].addr, word: word})
	}
}

// handover is what a master does on stop and on request, with a shell that gives
// up at a random time.
func (m *model) handover(i int) {
	n := m.nodes[i]
	if i > 1 || !n.alive || n.asleep > m.now || n.g.Member(0).State() != Master {
		return
	}
	m.say("%s hands over", n.name)
	gives := m.rng.IntN(2) == 0
	for k := range m.size {
		m.step(i, Event{Kind: Yield, Member: k, From: m.nodes[1-i].addr})
		if gives {
			m.mail = append(m.mail, delivery{at: m.now.Add(HandoverTime), to: i, member: k, from: n.addr, word: Keep})
		}
	}
	m.linkSays(i, Succeed)
	if gives {
		m.linkSays(i, Withdraw)
	}
}

func (m *model) send(from, member int, priority uint8) {
	n := m.nodes[from]
	a := packet.Advert{Version: m.version, VRID: n.cfg.VRID, Priority: priority, Interval: n.cfg.AdvertInterval, Addresses: n.cfg.Advertised}
	b := a.Append(nil, m.pseudo(n.addr))
	for path := range m.paths {
		within := m.interval / 200
		if path > 0 {
			within = m.slow
		}
		for to := range m.nodes {
			if to == from || m.apart[path][from][to] || m.rng.Float64() < m.loss || !m.nodes[to].alive {
				continue
			}
			delay := time.Duration(m.rng.Int64N(int64(within) + 1))
			m.mail = append(m.mail, delivery{at: m.now.Add(delay), to: to, member: member, path: path, from: n.addr, advert: b})
		}
	}
}

func (m *model) say(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf("%s ", stamp(m.now))+fmt.Sprintf(format, args...))
}

func (m *model) fail(format string, args ...any) {
	m.failed = true
	m.say("FAILED: "+format, args...)
}

func (m *model) tail() string {
	return strings.Join(m.log[max(0, len(m.log)-80):], "\n")
}

// FuzzStep throws arbitrary events at an instance: no panic, no addresses and no
// advert outside MASTER, never more than one advert a step, and a timer that is
// neither forgotten in BACKUP and MASTER nor due again at once.
func FuzzStep(f *testing.F) {
	f.Add(uint8(100), uint8(0), []byte{0, 3, 1, 9, 1, 2, 100, 2, 150, 1, 9, 6})
	f.Add(uint8(255), uint8(3), []byte{3, 0, 0, 1, 20, 2, 0, 2, 255, 5, 4, 7, 1, 255, 6})
	f.Add(uint8(90), uint8(2), []byte{3, 1, 0, 2, 7, 100, 7, 7, 0, 2, 7, 100, 10, 7, 1, 12, 7, 1, 14, 13, 2, 8, 100})
	f.Add(uint8(100), uint8(4), []byte{0, 3, 1, 9, 1, 2, 100, 2, 150, 7, 1, 9, 6})
	f.Fuzz(func(t *testing.T, priority, flags uint8, script []byte) {
		if priority == 0 {
			return
		}
		cfg := Config{
			Version: 2, VRID: 1, Priority: priority, AdvertInterval: time.Second,
			StartAsMaster: flags&1 != 0, NoPreempt: flags&2 != 0, Paths: make([]Path, flags>>3&3),
		}
		unit := time.Second
		if flags&4 != 0 {
			cfg.Version, cfg.AdvertInterval, unit = 3, 10*time.Millisecond, 10*time.Millisecond
		}
		g := NewGroup(cfg)
		i, now, holds := g.Member(0), mono.Time(0), false
		arg := func() byte {
			if len(script) == 0 {
				return 0
			}
			b := script[0]
			script = script[1:]
			return b
		}
		for len(script) > 0 {
			ev := Event{Kind: EventKind(arg() % uint8(PeerBack+3))}
			switch ev.Kind {
			case Timer:
				now = now.Add(time.Duration(arg()) * unit / 10)
			case Slept:
				ev.Asleep = time.Duration(arg()) * unit / 10
			case Heard:
				ev.From = netip.AddrFrom4([4]byte{10, 0, 0, arg()})
				ev.Advert = &packet.Advert{Version: cfg.Version, VRID: 1, Priority: arg(), Interval: unit}
				if n := len(cfg.Paths); n > 0 {
					ev.Path = int(arg()) % (n + 1)
				}
				if cfg.Version == 3 {
					ev.Advert.Interval *= time.Duration(arg()) // 0 cannot be, and must do no harm
				}
			case Link:
				b := arg()
				ev.Faults = Faults(b >> 2)
				if b&1 != 0 {
					ev.Source = netip.AddrFrom4([4]byte{10, 0, 0, 5})
				}
			case Health:
				b := arg()
				ev.Delta, ev.Fault, ev.Pending = int(int8(arg())), b&1 != 0, b&2 != 0
			case PeerGone, PeerLeft, PeerWaits, Succeed, Yield:
				ev.From, ev.Priority = netip.AddrFrom4([4]byte{10, 0, 0, arg()}), arg()
			}
			adverts := 0
			var actions []Action
			switch ev.Kind {
			case PeerBack + 1: // no event: the shell is at a batch
				actions = g.Overdue(now, nil)
			case PeerBack + 2: // or sends another group's advert
				actions = g.Ahead(now, nil)
			default:
				actions = g.Step(now, ev, nil)
			}
			for _, a := range actions {
				switch a.Kind {
				case SendAdvert:
					adverts++
					if a.Priority > 0 && i.State() != Master {
						t.Fatalf("advert with priority %d as %v", a.Priority, i.State())
					}
				case SetVIPs:
					holds = a.Up
				}
			}
			running := i.State() == Master || i.State() == Backup
			switch {
			case holds != (i.State() == Master):
				t.Fatalf("addresses up %v in %v", holds, i.State())
			case adverts > 1:
				t.Fatalf("%d adverts in one step", adverts)
			case running && g.Deadline() == mono.Never:
				t.Fatalf("no timer in %v", i.State())
			case ev.Kind == Timer && g.Deadline() <= now:
				t.Fatalf("timer at %v again due at %v in %v", now, g.Deadline(), i.State())
			case i.Faults() != 0 && running:
				t.Fatalf("%v in %v", i.Faults(), i.State())
			}
		}
	})
}
