package vrrpnet

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vrrp"

	"github.com/google/go-cmp/cmp"
)

// openLoop returns a loop whose instances have a socket and started at then. The
// test turns it.
func openLoop(r *rig, then mono.Time) *loop {
	l := &loop{s: r.s, r: r.s.roster.Load(), owner: &fakeOwner{say: func(string) {}}, tick: sys.Ticker{FD: sys.NoFD}}
	l.advert.Addresses = make([]netip.Addr, 0, 255)
	r.host.Do(func() {
		index, primary := eth0()
		k := r.s.roster.Load().links[0]
		i := slices.IndexFunc(primary, func(a netip.Addr) bool { return a.Is6() == k.six })
		l.linkChanged(then, k, k.update(then, index, true, primary[i]))
		if k.fd == sys.NoFD {
			r.t.Fatal("no socket")
		}
		r.t.Cleanup(k.close)
	})
	for _, m := range r.s.roster.Load().members {
		l.step(then, m, vrrp.Event{Kind: vrrp.Start})
	}
	return l
}

// TestAdvertBeforeTimer: a backup whose timer has run out looks into its socket
// once more before it takes over.
func TestAdvertBeforeTimer(t *testing.T) {
	ha, hb, _ := hosts(t)
	a, b := newRig(t, ha, config(150)), newRig(t, hb, config(100))
	la, lb := openLoop(a, mono.Now().Add(-10*time.Second)), openLoop(b, mono.Now().Add(-4*time.Second))
	mb := b.s.roster.Load().members[0]
	if d := mb.group.Deadline(); d > mono.Now() {
		t.Fatalf("not due before %v", time.Duration(d))
	}
	lb.wait() // nothing is there yet: this turn knows of no readable socket
	la.step(a.s.roster.Load().members[0].group.Deadline(), a.s.roster.Load().members[0], vrrp.Event{Kind: vrrp.Timer})
	var arrived sys.PollSet
	arrived.Add(mb.link.fd)
	arrived.Wait(patience)
	lb.timers()
	if st := b.status(); st.State != vrrp.Backup || st.MasterPriority != 150 {
		t.Errorf("b: %+v", st)
	}
}

// TestSlowAddresses: a new master whose addresses take longer to set than its
// master-down interval speaks meanwhile, and so does the master beside it; neither
// has stood still.
func TestSlowAddresses(t *testing.T) {
	t.Parallel()
	ha, _, _ := hosts(t)
	slow, quick := config(150), config(200)
	slow.Name, slow.VRID, quick.Name = "slow", 52, "quick"
	for _, c := range []*vrrp.Config{&slow, &quick} {
		c.Version, c.AdvertInterval = 3, 300*time.Millisecond
	}
	a := newRig(t, ha, slow, quick)
	sent := func() (least uint64) {
		st := a.s.Status()
		return min(st[0].Sent, st[1].Sent)
	}
	end := mono.Now().Add(patience)
	a.owner.slow = func(up bool, pause func()) {
		if !up || a.s.Status()[1].State != vrrp.Master {
			return // quick comes first: its skew time is the shorter
		}
		for enough := sent() + 5; sent() < enough && mono.Now() < end; {
			pause()
		}
	}
	a.link()
	a.start()
	before := a.await("slow MASTER")
	if mono.Now() >= end {
		t.Fatal("no advert leaves while addresses are set")
	}
	slices.Sort(before)
	want := []string{
		"quick BACKUP: started", "quick MASTER: no master heard within the master-down interval", "quick addresses up false", "quick addresses up true", "quick announce",
		"slow BACKUP: started", "slow MASTER: no master heard within the master-down interval", "slow addresses up false", "slow addresses up true", "slow announce",
	}
	if diff := cmp.Diff(want, withoutUnprivileged(before)); diff != "" {
		t.Errorf("a, sorted (-want +got):\n%s", diff)
	}
}

// TestNoAllocation: a master's adverts leave and a backup's come in without any,
// through real sockets.
func TestNoAllocation(t *testing.T) {
	six := config(150)
	six.Version, six.IPv6, six.Advertised = 3, true, []netip.Addr{netip.MustParseAddr("fe80::64")}
	for name, c := range map[string]vrrp.Config{"IPv4": config(150), "IPv6": six} {
		t.Run(name, func(t *testing.T) { testNoAllocation(t, c) })
	}
}

func testNoAllocation(t *testing.T, c vrrp.Config) {
	ha, hb, _ := hosts(t)
	linkLocal(ha, "fe80::a/64")
	linkLocal(hb, "fe80::b/64")
	lower := c
	lower.Priority = 100
	a, b := newRig(t, ha, c), newRig(t, hb, lower)
	la, lb := openLoop(a, mono.Now()), openLoop(b, mono.Now())
	ma, mb := a.s.roster.Load().members[0], b.s.roster.Load().members[0]
	lb.wait() // builds the poll set

	now := ma.group.Deadline() // a's clock runs ahead: one advert per round
	before := b.status().Received
	const rounds = 50
	n := testing.AllocsPerRun(rounds, func() {
		la.step(now, ma, vrrp.Event{Kind: vrrp.Timer})
		now = now.Add(time.Second)
		lb.poll.Wait(patience)
		lb.receive(mb.link)
	})
	if n != 0 {
		t.Errorf("%v allocations per advert", n)
	}
	if st := a.status(); st.State != vrrp.Master || st.Sent < rounds || st.SendErrors != 0 {
		t.Errorf("a: %+v", st)
	}
	if st := b.status(); st.State != vrrp.Backup || st.Received-before < rounds {
		t.Errorf("b: %+v", st)
	}
}

// TestTakeAlong: of the adverts that are due a little later than one that leaves, those
// within reach go with it, and what a turn looks at knows of their next ones.
func TestTakeAlong(t *testing.T) {
	ha, _, _ := hosts(t)
	var configs []vrrp.Config
	for i := range 3 {
		c := config(150)
		c.Name, c.VRID = fmt.Sprintf("VI_%d", i), uint8(i+1)
		configs = append(configs, c)
	}
	r := newRig(t, ha, configs...)
	l := openLoop(r, mono.Now())
	master := l.r.teams[2].group.Deadline() // that of the others is not later
	for i, m := range l.r.members {
		l.step(master.Add(time.Duration(i)*100*time.Millisecond), m, vrrp.Event{Kind: vrrp.Timer})
	}
	now := master.Add(time.Second)
	l.step(now, l.r.members[0], vrrp.Event{Kind: vrrp.Timer})
	l.takeAlong(now)
	for i, want := range []mono.Time{now.Add(time.Second), now.Add(time.Second), now.Add(200 * time.Millisecond)} {
		if d := l.r.teams[i].group.Deadline(); d != want || l.r.due[i] != d {
			t.Errorf("advert of %s is due at %v, looked at at %v, want %v", l.r.members[i].cfg.Name, d, l.r.due[i], want)
		}
	}
}

// TestConsumerBehind: a consumer that hangs holds nobody up, and learns the
// present states when it goes on.
func TestConsumerBehind(t *testing.T) {
	ha, _, _ := hosts(t)
	r := newRig(t, ha, config(100))
	l := &loop{s: r.s, r: r.s.roster.Load(), owner: r.owner}
	m := r.s.roster.Load().members[0]
	l.step(0, m, vrrp.Event{Kind: vrrp.Start})
	<-r.lines // the owner's
	link := func(faults vrrp.Faults) {
		l.step(0, m, vrrp.Event{Kind: vrrp.Link, Faults: faults, Source: netip.MustParseAddr("10.0.0.1")})
	}
	for range queueLen { // two changes each: half of them do not fit
		link(vrrp.LinkDown)
		link(0)
	}
	link(vrrp.LinkMissing)
	close(r.s.queue.events)
	r.s.consume()
	lines := drain(r)
	if len(lines) != queueLen+1 {
		t.Errorf("%d lines, want %d", len(lines), queueLen+1)
	}
	want := []string{"VI FAULT: interface down", "VI FAULT (events were lost before this one)"}
	if diff := cmp.Diff(want, []string{lines[0], lines[1]}); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMailbox: every order arrives, those of one sender in their order.
func TestMailbox(t *testing.T) {
	box, err := newMailbox()
	if err != nil {
		t.Fatal(err)
	}
	const senders, each = 4, 2000
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				box.put(&order{kind: orderHealth, index: s, event: vrrp.Event{Delta: i}})
			}
		})
	}
	var next [senders]int
	var poll sys.PollSet
	poll.Add(box.wake.FD)
	began := time.Now()
	for got := 0; got < senders*each; {
		poll.Wait(patience)
		if !poll.Ready(0) {
			if time.Since(began) > patience {
				t.Fatalf("%d of %d orders, and no wake-up", got, senders*each)
			}
			continue // a signal: the runtime sends them
		}
		for o := box.take(); o != nil; o = o.next {
			if o.event.Delta != next[o.index] {
				t.Fatalf("sender %d: order %d, want %d", o.index, o.event.Delta, next[o.index])
			}
			next[o.index]++
			got++
		}
	}
	wg.Wait()
}

// TestSuspicion: a loop that does not turn is not alive.
func TestSuspicion(t *testing.T) {
	ha, _, _ := hosts(t)
	r := newRig(t, ha, config(100))
	if !r.s.Alive(0) {
		t.Error("one that was not started is reported dead")
	}
	r.s.beat.Store(int64(mono.Now().Add(-10 * time.Second)))
	if r.s.Alive(5 * time.Second) {
		t.Error("10 s without a turn, and alive")
	}
	if !r.s.Alive(time.Minute) {
		t.Error("dead within a minute's patience")
	}
}

func TestLimiter(t *testing.T) {
	var l limiter
	var got []string
	for i := range 5 {
		repeated, ok := l.pass(mono.Time(i)*mono.Time(time.Second), 3*time.Second)
		got = append(got, fmt.Sprint(repeated, ok))
	}
	want := []string{"0 true", "0 false", "0 false", "2 true", "0 false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestAdvertBeforeHint: what the master sent before it died is read before its
// death is told. Afterwards it would look like a sign of life.
func TestAdvertBeforeHint(t *testing.T) {
	ha, hb, _ := hosts(t)
	a, b := newRig(t, ha, config(150)), newRig(t, hb, config(100))
	now := mono.Now()
	la, lb := openLoop(a, now), openLoop(b, now)
	ma, mb := a.s.roster.Load().members[0], b.s.roster.Load().members[0]
	from := ma.instance().Source()
	for i := range 2 { // b knows its master, and then another advert waits in its socket
		la.step(ma.group.Deadline(), ma, vrrp.Event{Kind: vrrp.Timer})
		var arrived sys.PollSet
		arrived.Add(mb.link.fd)
		arrived.Wait(patience)
		if i == 0 {
			lb.receive(mb.link)
		}
	}
	lb.obey(mono.Now(), &order{kind: orderHint, instance: mb.cfg.Name, event: vrrp.Event{Kind: vrrp.PeerGone, From: from}})
	if got := mb.received.Load(); got != 2 {
		t.Errorf("%d adverts read, want 2", got)
	}
	lb.receive(mb.link)
	if got := mb.instance().State(); got != vrrp.Master {
		t.Errorf("state %v, want MASTER", got)
	}
}
