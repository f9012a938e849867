package pairlint

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"baton/checkscript"
	"baton/internal/mono"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// TestPowerIsTrue asks the state machine what the linter computes: two nodes with
// random priorities and weights, each combination of failures in which a's track 0
// works, and then fails. If the address goes from a to b then, the track has power.
func TestPowerIsTrue(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	weights := []int{-60, -30, -20, -10, -1, 1, 2, 10, 20, 40, 60, 150}
	seen := map[power]int{}
	for range 400 {
		a, b := reach{base: uint8(90 + rng.IntN(80))}, reach{base: uint8(90 + rng.IntN(80))}
		for range 1 + rng.IntN(2) {
			a.tracks = append(a.tracks, track(weights[rng.IntN(len(weights))]))
		}
		for range rng.IntN(2) {
			b.tracks = append(b.tracks, track(weights[rng.IntN(len(weights))]))
		}
		if a.normal() == b.normal() {
			continue // the addresses decide, which a file does not say
		}
		movesAlone, moves := false, false
		for failed := range 1 << (len(a.tracks) - 1 + len(b.tracks)) {
			if failover(a, b, failed) {
				moves = true
				movesAlone = movesAlone || failed == 0
			}
		}
		want := powerless
		switch {
		case movesAlone:
			want = alone
		case moves:
			want = together
		}
		got := powerOf(a, 0, b)
		seen[got]++
		if got != want {
			t.Errorf("base %d with %v against base %d with %v: power %d, the state machine says %d", a.base, a.tracks, b.base, b.tracks, got, want)
		}
	}
	for _, p := range []power{powerless, together, alone} {
		if seen[p] < 10 {
			t.Errorf("power %d came %d times only: %v", p, seen[p], seen)
		}
	}
}

func track(weight int) weighed {
	t := checkscript.Track{Probe: fmt.Sprint(weight), Weight: weight}
	return weighed{t, max(weight, 0), min(weight, 0)}
}

// failover runs two nodes with these tracks failed (bit n: a's track n+1, then b's)
// until one is master. If that is a, its track 0 fails; failover reports whether b
// takes over.
func failover(a, b reach, failed int) bool {
	sum := func(tracks []weighed, bits int) (s int) {
		for i, t := range tracks {
			if bits>>i&1 == 1 {
				s += t.ill
			} else {
				s += t.well
			}
		}
		return s
	}
	bitsA, bitsB := failed<<1&(1<<len(a.tracks)-1), failed>>(len(a.tracks)-1)
	var n net
	n.add(a.base, "10.0.0.1", sum(a.tracks, bitsA))
	n.add(b.base, "10.0.0.2", sum(b.tracks, bitsB))
	n.run(20 * time.Second)
	if n.nodes[0].State() != vrrp.Master {
		return false
	}
	n.step(0, vrrp.Event{Kind: vrrp.Health, Delta: sum(a.tracks, bitsA|1)})
	n.run(20 * time.Second)
	return n.nodes[1].State() == vrrp.Master
}

// net is a network without loss on which instances hear each other at once.
type net struct {
	now    mono.Time
	groups []*vrrp.Group
	nodes  []*vrrp.Instance
	addrs  []netip.Addr
}

func (n *net) add(base uint8, addr string, delta int) {
	g := vrrp.NewGroup(vrrp.Config{Name: "VI", Interface: "eth0", VRID: 1, Priority: base, AdvertInterval: time.Second})
	n.groups, n.nodes, n.addrs = append(n.groups, g), append(n.nodes, g.Member(0)), append(n.addrs, netip.MustParseAddr(addr))
	i := len(n.groups) - 1
	n.step(i, vrrp.Event{Kind: vrrp.Link, Source: n.addrs[i]})
	n.step(i, vrrp.Event{Kind: vrrp.Health, Delta: delta})
	n.step(i, vrrp.Event{Kind: vrrp.Start})
}

func (n *net) step(i int, ev vrrp.Event) {
	for _, act := range n.groups[i].Step(n.now, ev, nil) {
		if act.Kind != vrrp.SendAdvert {
			continue
		}
		ad := packet.Advert{Version: 2, VRID: 1, Priority: act.Priority, Interval: time.Second}
		for k := range n.groups {
			if k != i {
				n.step(k, vrrp.Event{Kind: vrrp.Heard, From: n.addrs[i], Advert: &ad})
			}
		}
	}
}

func (n *net) run(d time.Duration) {
	for end := n.now.Add(d); ; {
		first := 0
		for i, g := range n.groups {
			if g.Deadline() < n.groups[first].Deadline() {
				first = i
			}
		}
		if at := n.groups[first].Deadline(); at > end {
			n.now = end
			return
		} else if at > n.now {
			n.now = at
		}
		n.step(first, vrrp.Event{Kind: vrrp.Timer})
	}
}
