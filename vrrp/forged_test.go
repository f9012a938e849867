package vrrp

import (
	"testing"
	"time"
)

// TestForgedEndsNeverMove plays whole networks in which an attacker ends the link
// of the first two nodes again and again, while both live: at worst there is one
// short election, and the master is the same node after it, whatever the
// priorities and with nopreempt or without.
func TestForgedEndsNeverMove(t *testing.T) {
	elections := 0
	for seed := range uint64(*modelRuns) {
		m := newModel(t, seed)
		if m.shortest() != m.interval {
			continue // a third node would count in the interval of who was misled
		}
		calm := 6*m.interval + 2*HandoverTime + 2*m.slow // what a slow path still carries is of before
		m.run(m.now.Add(calm))
		if m.rng.IntN(2) == 0 { // the lower node of a nopreempt pair leads
			m.handover(0)
			m.handover(1)
			m.run(m.now.Add(calm))
		}
		leader := -1
		for i, n := range m.nodes {
			if n.g.Member(0).State() == Master {
				leader = i
			}
		}
		if leader < 0 {
			t.Fatalf("seed %d: no master to begin with:\n%s", seed, m.tail())
		}
		for range 20 {
			m.run(m.now.Add(time.Duration(m.rng.IntN(1500)) * m.interval / 1000))
			for i := range 2 {
				m.linkSays(i, PeerGone)
			}
		}
		m.run(m.now.Add(m.interval / 10))
		changes := 0
		for i, n := range m.nodes {
			if is := n.g.Member(0).State() == Master; is != (i == leader) {
				t.Fatalf("seed %d: node %s is master %v, the master was %s:\n%s", seed, n.name, is, m.nodes[leader].name, m.tail())
			}
			if n.g.Member(0).partner.distrustUntil > 0 {
				changes++
			}
		}
		if changes > 1 {
			t.Fatalf("seed %d: %d nodes were led astray", seed, changes)
		}
		elections += changes
	}
	if elections == 0 {
		t.Fatal("no forged end had any effect: this test proves nothing")
	}
}
