package proxy

import (
	"testing"
	"time"

	"baton/internal/mono"
	"baton/lb/spec"
)

// HAProxy 2.6 let a server serve that many requests, one coming after the other, with
// others in progress elsewhere in the backend.
func TestMinconn(t *testing.T) {
	for _, c := range []struct{ minconn, maxconn, fullconn, elsewhere, want int }{
		{2, 8, 10, 0, 2},
		{2, 8, 10, 1, 4},
		{2, 8, 10, 2, 8},
		{2, 8, 10, 12, 8},
		{1, 5, 20, 0, 1},
		{1, 5, 20, 4, 1},
		{1, 5, 20, 7, 2},
		{1, 5, 20, 11, 3},
		{1, 5, 20, 12, 4},
		{1, 5, 20, 15, 5},
		{3, 10, 7, 0, 10},
		{3, 0, 20, 0, 3},
		{9, 2, 20, 0, 9},
	} {
		var ids int
		b := newBackend(&spec.Backend{Servers: []*spec.Server{{Minconn: c.minconn, Maxconn: c.maxconn}}}, 0, &ids, c.fullconn, nil)
		s := b.Servers[0]
		b.Conns.Store(int32(c.elsewhere))
		got := 0
		for {
			b.Conns.Add(1)
			if !s.take() {
				break
			}
			got++
		}
		if got != c.want {
			t.Errorf("%+v: served %d", c, got)
		}
	}
}

func TestFullconn(t *testing.T) {
	set := &Set{Maxconn: 2000}
	b := &spec.Backend{Common: spec.Common{Name: "b"}}
	fe := func(maxconn int, leads string) *spec.Frontend {
		return &spec.Frontend{Maxconn: maxconn, DefaultBackend: leads}
	}
	switched := fe(100, "other")
	switched.UseBackends = []spec.UseBackend{{Backend: "b"}}
	if got := set.fullconn(b, []*spec.Frontend{fe(505, "b"), fe(7000, "other"), switched, fe(0, "b")}); got != 261 {
		t.Errorf("fullconn %d, want 261: a tenth of 505, 100 and 2000", got)
	}
	b.Fullconn = 7
	if got := set.fullconn(b, nil); got != 7 {
		t.Errorf("fullconn %d, want 7", got)
	}
}

func TestSlowStart(t *testing.T) {
	var ids int
	b := newBackend(&spec.Backend{Servers: []*spec.Server{{Weight: 10, Maxconn: 50, SlowStart: 10 * time.Hour}}}, 0, &ids, 1, nil)
	s := b.Servers[0]
	began := mono.Now()
	if s.Warming(began) || s.scaled(began) != 160 || s.limit() != 50 {
		t.Fatal("a server starts slowly though it has not failed")
	}
	s.Warm(began)
	if got := s.scaled(began); got != 1 {
		t.Errorf("weight %d at the start, want 1", got)
	}
	if got := s.limit(); got != 1 {
		t.Errorf("limit %d at the start, want 1", got)
	}
	if got := s.scaled(began.Add(5 * time.Hour)); got != 80 {
		t.Errorf("weight %d half-way, want 80", got)
	}
	if !s.Warming(began.Add(11*time.Hour)) || s.Warming(began.Add(11*time.Hour)) {
		t.Error("the end of a slow start must be told once, and then be over")
	}
	if s.scaled(began) != 160 || s.limit() != 50 {
		t.Error("not at full load after the slow start")
	}
	b.Spec.Balance.Algorithm = spec.StaticRR
	s.Warm(began)
	if got := s.scaled(began); got != 160 {
		t.Errorf("weight %d of a static algorithm, want 160", got)
	}
}

// The order in a queue: by class, then by arrival and offset.
func TestQueueOrder(t *testing.T) {
	var l list
	for _, w := range []*waiter{
		{class: 0, due: 10}, {class: 1, due: 5}, {class: 0, due: 20}, {class: -1, due: 30}, {class: 0, due: 10}, {class: 0, due: 15},
	} {
		l.push(w)
	}
	var classes []int
	var due []mono.Time
	for l.first != nil {
		classes, due = append(classes, l.first.class), append(due, l.first.due)
		l.unlink(l.first)
	}
	want := []mono.Time{30, 10, 10, 15, 20, 5}
	for i := range want {
		if due[i] != want[i] {
			t.Fatalf("order %v of classes %v, want %v", due, classes, want)
		}
	}
	if l.last != nil || l.n.Load() != 0 {
		t.Error("the list does not know that it is empty")
	}
}

// For leastconn a backup is as long idle as it is, whoever serves: HAProxy 2.6 was seen to
// go on with the backup that had rested when it needed them again.
func TestRestOfBackups(t *testing.T) {
	ids := 0
	b := newBackend(&spec.Backend{
		Balance: spec.Balance{Algorithm: spec.LeastConn}, AllBackups: true,
		Servers: []*spec.Server{{Weight: 1}, {Weight: 1, Backup: true}, {Weight: 1, Backup: true}},
	}, 0, &ids, 0, nil)
	set := func(active, first, second bool) {
		var all []Standing
		for _, up := range []bool{active, first, second} {
			all = append(all, Standing{Serves: up, Shares: up})
		}
		b.SetUsable(&Set{}, all)
	}
	rested := func(want, than int) {
		t.Helper()
		if b.Servers[want].Changed() >= b.Servers[than].Changed() {
			t.Errorf("server %d comes before %d", than, want)
		}
	}
	set(true, true, true)
	set(false, true, true)
	rested(1, 2)
	b.Servers[1].take()
	b.Servers[1].leave()
	rested(2, 1)
	set(true, true, true)
	set(false, true, true)
	rested(2, 1)
	set(false, true, false)
	set(false, true, true)
	rested(1, 2)
}
