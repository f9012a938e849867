package balance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"baton/lb/spec"

	"github.com/cockroachdb/datadriven"
)

// load is a server's load in tests.
type load struct {
	served, queued, max, maxqueue int
	changed                       uint64
}

func (l *load) Served() int     { return l.served }
func (l *load) Queued() int     { return l.queued }
func (l *load) Full() bool      { return l.max > 0 && (l.served >= l.max || l.queued > 0) }
func (l *load) Room() bool      { return l.max == 0 || l.served+l.queued < l.max+l.maxqueue }
func (l *load) Crowded() bool   { return l.maxqueue > 0 && l.queued >= l.maxqueue }
func (l *load) Changed() uint64 { return l.changed }

// script is the state of one file of testdata.
type script struct {
	c       spec.Balance
	p       Picker
	states  []ServerState
	changes uint64
}

// TestScripts runs the files in testdata; those in testdata/haproxy hold what HAProxy
// 2.6 did. Commands:
//
//	new ALGORITHM [loop=N] [consistent] [function=F] [avalanche] [factor=N] [draws=N]
//	    [maxconn|maxqueue]   of hash-preserve-affinity
//	servers [allbackups]   one per line: [up|down] [backup] weight=N [id=N] [load=N] [max=N]
//	                       [maxqueue=N] [queued=N]; shows the slots
//	load ID=N ...          sets loads
//	pick [times=N] [take] [except=ID] [ip=A|B|...]   take counts each pick as load
//	drop ID ...            ends a request at each of them
//	keys [from=N] [n=N]    picks for the texts key<7919*i>, a letter for each server
//	sum TEXT               the hash of a text
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := &script{}
		datadriven.RunTest(t, path, s.run)
	})
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "new":
		loop, function := 0, spec.SDBM.String()
		s.c = spec.Balance{Algorithm: algorithm(t, d.CmdArgs[0].Key), Consistent: d.HasArg("consistent"), Avalanche: d.HasArg("avalanche")}
		d.MaybeScanArgs(t, "loop", &loop)
		d.MaybeScanArgs(t, "factor", &s.c.Factor)
		d.MaybeScanArgs(t, "draws", &s.c.Draws)
		switch {
		case d.HasArg("maxconn"):
			s.c.Affinity = spec.AffinityMaxconn
		case d.HasArg("maxqueue"):
			s.c.Affinity = spec.AffinityMaxqueue
		}
		d.MaybeScanArgs(t, "function", &function)
		for s.c.Function = spec.SDBM; s.c.Function.String() != function; s.c.Function++ {
		}
		s.p, s.states = New(&s.c, loop), nil
	case "servers":
		s.parseServers(t, d.Input)
		plan := NewPlan(&s.c, s.states, d.HasArg("allbackups"))
		if s.p != nil {
			s.p.Update(plan)
		}
		var b strings.Builder
		for _, s := range plan.Slots {
			fmt.Fprintf(&b, "%d:%d ", s.ID, s.Weight)
		}
		return b.String() + "\n"
	case "load":
		for _, a := range d.CmdArgs {
			s.change(number(t, a.Key), func(l *load) { l.served = number(t, a.Vals[0]) })
		}
	case "drop":
		for _, a := range d.CmdArgs {
			s.change(number(t, a.Key), func(l *load) { l.served-- })
		}
	case "pick":
		return s.pick(t, d)
	case "keys":
		from, n := 0, 100
		d.MaybeScanArgs(t, "from", &from)
		d.MaybeScanArgs(t, "n", &n)
		var b strings.Builder
		for i := from; i < from+n; i++ {
			id, r := s.p.Pick(KeyOf(&s.c, fmt.Appendf(nil, "key%d", i*7919)), 0)
			if r != Picked {
				t.Fatalf("key %d: no server", i)
			}
			b.WriteByte(byte('a' + id))
		}
		return b.String() + "\n"
	case "sum":
		return fmt.Sprintln(Sum(s.c.Function, s.c.Avalanche, []byte(d.CmdArgs[0].Key)))
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	return ""
}

func (s *script) change(id int, f func(*load)) {
	l := s.states[id].Load.(*load)
	f(l)
	s.changes++
	l.changed = s.changes
}

func (s *script) pick(t *testing.T, d *datadriven.TestData) string {
	times, except, ips := 1, -1, ""
	d.MaybeScanArgs(t, "times", &times)
	d.MaybeScanArgs(t, "except", &except)
	d.MaybeScanArgs(t, "ip", &ips)
	keys := []Key{{}}
	if ips != "" {
		keys = nil
		for _, ip := range strings.Split(ips, "|") {
			keys = append(keys, AddrKey(&s.c, netip.MustParseAddr(ip)))
		}
	}
	var b strings.Builder
	for range times {
		for _, k := range keys {
			id, r := s.p.PickExcept(k, except, 0)
			switch {
			case r == None:
				b.WriteString("none ")
			case r == Full:
				b.WriteString("full ")
			default:
				if d.HasArg("take") {
					s.change(id, func(l *load) { l.served++ })
				}
				fmt.Fprintf(&b, "%d ", id)
			}
		}
	}
	return b.String() + "\n"
}

func algorithm(t *testing.T, name string) spec.Algorithm {
	for a := spec.RoundRobin; a <= spec.ByRDPCookie; a++ {
		if a.String() == name {
			return a
		}
	}
	t.Fatalf("no algorithm %s", name)
	return 0
}

// parseServers keeps the loads of servers that were there before.
func (s *script) parseServers(t *testing.T, text string) {
	old := s.states
	s.states = nil
	for line := range strings.Lines(text) {
		i := len(s.states)
		st := ServerState{Up: true, Weight: 1, Number: i + 1, Load: new(load)}
		if i < len(old) {
			st.Load = old[i].Load
		}
		s.states = append(s.states, st)
		p := &s.states[i]
		for _, w := range strings.Fields(line) {
			key, value, _ := strings.Cut(w, "=")
			switch key {
			case "up":
			case "down":
				p.Up = false
			case "backup":
				p.Backup = true
			case "weight":
				p.Weight = number(t, value)
			case "id":
				p.Number = number(t, value)
			case "load":
				s.change(i, func(l *load) { l.served = number(t, value) })
			case "max":
				p.Load.(*load).max = number(t, value)
			case "maxqueue":
				p.Load.(*load).maxqueue = number(t, value)
			case "queued":
				p.Load.(*load).queued = number(t, value)
			default:
				t.Fatalf("unknown word %s", w)
			}
		}
		if i >= len(old) {
			s.change(i, func(*load) {})
		}
	}
}

func number(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// planOf is that of active servers that are all up.
func planOf(c *spec.Balance, slots []Slot) *Plan {
	var servers []ServerState
	for _, s := range slots {
		for len(servers) < s.ID {
			servers = append(servers, ServerState{})
		}
		servers = append(servers, ServerState{Up: true, Number: s.Number, Weight: s.Weight, Scaled: s.Scaled, Load: s.Load})
	}
	return NewPlan(c, servers, false)
}

func randomSlots(r *rand.Rand) (slots []Slot, total int) {
	for i := range 1 + r.IntN(12) {
		w := 1 + r.IntN(256)
		if r.IntN(3) == 0 {
			w = 1
		}
		slots = append(slots, Slot{ID: i, Weight: w, Load: new(load)})
		total += w
	}
	return slots, total
}

// Whatever the weights, a server has its share after every round, and at no moment
// in between is it more than about one turn per other server away from it.
func TestRoundRobinIsFairAndSmooth(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		slots, total := randomSlots(r)
		c := spec.Balance{}
		p := New(&c, 0)
		p.Update(planOf(&c, slots))
		got := make([]int, len(slots))
		for n := 1; n <= 3*total; n++ {
			id, _ := p.Pick(Key{}, 0)
			got[id]++
			for i, s := range slots {
				off := float64(got[i]) - float64(n)*float64(s.Weight)/float64(total)
				if limit := float64(len(slots)); off > limit || off < -limit {
					t.Fatalf("seed %d: after %d picks server %d of weight %d/%d is %.1f turns off", seed, n, i, s.Weight, total, off)
				}
				if n%total == 0 && (off > 1 || off < -1) {
					t.Fatalf("seed %d: after %d whole rounds server %d had %d turns, weight %d", seed, n/total, i, got[i], s.Weight)
				}
			}
		}
	}
}

func TestSourceTableHoldsWeights(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		slots, total := randomSlots(r)
		table := newTable(slots, 1)
		if total%len(table) != 0 {
			t.Fatalf("seed %d: table of %d for a total weight of %d", seed, len(table), total)
		}
		got := make([]int, len(slots))
		for _, id := range table {
			got[id] += total / len(table)
		}
		for i, s := range slots {
			if got[i] != s.Weight {
				t.Fatalf("seed %d: server %d stands %d times in the table, weight %d", seed, i, got[i], s.Weight)
			}
		}
	}
}

// The table is made without walking all servers for each place; the rule that it
// follows, walked through literally, gives the same.
func TestSourceTableFollowsTheRule(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 3))
		slots, total := randomSlots(r)
		slots = append(slots, Slot{ID: 99, Weight: 1})
		total++
		table := newTable(slots, 1)
		credit := make([]float64, len(slots))
		for place, got := range table {
			best := 0
			for i, s := range slots {
				credit[i] += float64(s.Weight)
				if math.Floor(credit[i]/float64(total)) > math.Floor(credit[best]/float64(total)) {
					best = i
				}
			}
			credit[best] -= float64(total)
			if slots[got].ID != slots[best].ID {
				t.Fatalf("seed %d: place %d is server %d's, want %d's", seed, place, slots[got].ID, slots[best].ID)
			}
		}
	}
}

// every calls f for each algorithm, and both ways of a hash.
func every(f func(name string, c *spec.Balance)) {
	for a := spec.RoundRobin; a <= spec.ByRDPCookie; a++ {
		f(a.String(), &spec.Balance{Algorithm: a, Draws: 2})
	}
	f("consistent", &spec.Balance{Algorithm: spec.SourceHash, Consistent: true, Avalanche: true})
	f("bounded", &spec.Balance{Algorithm: spec.SourceHash, Consistent: true, Avalanche: true, Factor: 125})
}

func TestPickAllocatesNothing(t *testing.T) {
	slots := []Slot{{ID: 0, Weight: 1, Load: new(load)}, {ID: 1, Weight: 5, Load: new(load)}, {ID: 2, Weight: 9, Load: &load{served: 1, max: 1}}}
	every(func(name string, c *spec.Balance) {
		key := AddrKey(c, netip.MustParseAddr("192.0.2.7"))
		p := New(c, 1)
		p.Update(planOf(c, slots))
		p.Pick(Key{}, 0) // room for those that are passed over
		if n := testing.AllocsPerRun(100, func() {
			p.Pick(key, 0)
			p.Pick(Key{}, 0)
			p.PickExcept(key, 1, 0)
		}); n != 0 {
			t.Errorf("%s: %v allocations per pick", name, n)
		}
	})
}

// Whatever happens to the servers, a pick is one that may be picked.
func TestPicksAreEligible(t *testing.T) {
	every(func(name string, c *spec.Balance) {
		r := rand.New(rand.NewPCG(7, 7))
		p := New(c, 0)
		for range 300 {
			var slots []Slot
			for id := range 6 {
				if r.IntN(3) > 0 {
					slots = append(slots, Slot{ID: id, Number: id + 1, Weight: 1 + r.IntN(4), Load: &load{served: r.IntN(3), max: 2, maxqueue: r.IntN(2)}})
				}
			}
			p.Update(planOf(c, slots))
			for range 20 {
				except := r.IntN(8) - 1
				key := Key{r.Uint32(), r.IntN(3) > 0}
				id, result := p.PickExcept(key, except, 0)
				others, room := 0, 0
				var picked *load
				for _, s := range slots {
					if s.ID == except {
						continue
					}
					others++
					if !s.Load.Full() {
						room++
					}
					if s.ID == id {
						picked = s.Load.(*load)
					}
				}
				hash := c.Algorithm.Hashes() && key.OK
				switch {
				case result == Picked && picked == nil:
					t.Fatalf("%s: picked server %d of %v, avoiding %d", name, id, slots, except)
				case result == Picked && picked.Full() && !hash && !(c.Algorithm == spec.LeastConn && picked.Room()):
					t.Fatalf("%s: picked a full server", name)
				case result == None && others > 0 && c.Factor == 0, result != None && others == 0:
					t.Fatalf("%s: %v with %d servers", name, result, others)
				case result == Full && room > 0:
					t.Fatalf("%s: full with room at %d servers", name, room)
				}
			}
		}
	})
}

// Random picks follow the weights.
func TestRandomFollowsWeights(t *testing.T) {
	c := &spec.Balance{Algorithm: spec.Random, Draws: 1}
	p := New(c, 0)
	p.Update(planOf(c, []Slot{{ID: 0, Number: 1, Weight: 30, Load: new(load)}, {ID: 1, Number: 2, Weight: 10, Load: new(load)}}))
	got := [2]int{}
	for range 40000 {
		id, _ := p.Pick(Key{}, 0)
		got[id]++
	}
	if got[1] < 7500 || got[1] > 12500 {
		t.Errorf("picks %v for weights 30 and 10", got)
	}
}

func BenchmarkPick(b *testing.B) {
	every(func(name string, c *spec.Balance) {
		b.Run(name, func(b *testing.B) {
			var slots []Slot
			for i := range 16 {
				slots = append(slots, Slot{ID: i, Number: i + 1, Weight: 1 + i%4, Load: new(load)})
			}
			p := New(c, 0)
			p.Update(planOf(c, slots))
			for b.Loop() {
				p.Pick(Key{Hash: 12345, OK: true}, 0)
			}
		})
	})
}
