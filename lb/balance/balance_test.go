package balance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"baton/lb/spec"

	"github.com/cockroachdb/datadriven"
)

// TestScripts runs the files in testdata. Commands:
//
//	new ALGORITHM [loop=N]           a picker
//	servers [allbackups]             one per line: [up|down] [backup] weight=N [load=N]; shows the slots
//	load ID=N ...                    sets loads
//	pick [times=N] [take] [except=ID] [ip=A,B,...]   take counts each pick as load
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var p Picker
		var states []ServerState
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				loop := 0
				d.MaybeScanArgs(t, "loop", &loop)
				p = New(algorithm(t, d.CmdArgs[0].Key), loop)
			case "servers":
				states = parseServers(t, d.Input)
				slots := Eligible(states, d.HasArg("allbackups"))
				if p != nil {
					p.Update(slots)
				}
				var b strings.Builder
				for _, s := range slots {
					fmt.Fprintf(&b, "%d:%d ", s.ID, s.Weight)
				}
				return b.String() + "\n"
			case "load":
				for _, a := range d.CmdArgs {
					states[number(t, a.Key)].Load.Store(int32(number(t, a.Vals[0])))
				}
			case "pick":
				return pick(t, d, p, states)
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			return ""
		})
	})
}

func pick(t *testing.T, d *datadriven.TestData, p Picker, states []ServerState) string {
	times, except, ips := 1, -1, ""
	d.MaybeScanArgs(t, "times", &times)
	d.MaybeScanArgs(t, "except", &except)
	d.MaybeScanArgs(t, "ip", &ips)
	keys := []Key{{}}
	if ips != "" {
		keys = nil
		for _, ip := range strings.Split(ips, "|") {
			keys = append(keys, KeyOf(netip.MustParseAddr(ip)))
		}
	}
	var b strings.Builder
	for range times {
		for _, k := range keys {
			var id int
			var ok bool
			if except >= 0 {
				id, ok = p.PickExcept(k, except, 0)
			} else {
				id, ok = p.Pick(k, 0)
			}
			if !ok {
				b.WriteString("none ")
				continue
			}
			if d.HasArg("take") {
				states[id].Load.Add(1)
			}
			fmt.Fprintf(&b, "%d ", id)
		}
	}
	return b.String() + "\n"
}

func algorithm(t *testing.T, name string) spec.Algorithm {
	for a := spec.RoundRobin; a <= spec.SourceHash; a++ {
		if a.String() == name {
			return a
		}
	}
	t.Fatalf("no algorithm %s", name)
	return 0
}

func parseServers(t *testing.T, text string) []ServerState {
	var states []ServerState
	for line := range strings.Lines(text) {
		s := ServerState{Up: true, Weight: 1, Load: new(atomic.Int32)}
		for _, w := range strings.Fields(line) {
			switch key, value, _ := strings.Cut(w, "="); key {
			case "up":
			case "down":
				s.Up = false
			case "backup":
				s.Backup = true
			case "weight":
				s.Weight = number(t, value)
			case "load":
				s.Load.Store(int32(number(t, value)))
			default:
				t.Fatalf("unknown word %s", w)
			}
		}
		states = append(states, s)
	}
	return states
}

func number(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func randomSlots(r *rand.Rand) (slots []Slot, total int) {
	for i := range 1 + r.IntN(12) {
		w := 1 + r.IntN(256)
		if r.IntN(3) == 0 {
			w = 1
		}
		slots = append(slots, Slot{ID: i, Weight: w, Load: new(atomic.Int32)})
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
		p := New(spec.RoundRobin, 0)
		p.Update(slots)
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

// A picker is used for years: turns wrap around.
func TestRoundRobinWraps(t *testing.T) {
	p := &roundRobin{}
	p.Update([]Slot{{ID: 0, Weight: 1}, {ID: 1, Weight: 3}})
	for i := range p.heap {
		p.heap[i].at -= 5 * turnScale
	}
	var got [2]int
	for range 400 {
		id, _ := p.next()
		got[id]++
	}
	if got != [2]int{100, 300} {
		t.Errorf("turns over the wrap: %v, want [100 300]", got)
	}
}

func TestSourceTableHoldsWeights(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		slots, total := randomSlots(r)
		h := &sourceHash{}
		h.Update(slots)
		if total%len(h.table) != 0 {
			t.Fatalf("seed %d: table of %d for a total weight of %d", seed, len(h.table), total)
		}
		got := make([]int, len(slots))
		for _, id := range h.table {
			got[id] += total / len(h.table)
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
		h := &sourceHash{}
		h.Update(slots)
		credit := make([]float64, len(slots))
		for place, got := range h.table {
			best := 0
			for i, s := range slots {
				credit[i] += float64(s.Weight)
				if math.Floor(credit[i]/float64(total)) > math.Floor(credit[best]/float64(total)) {
					best = i
				}
			}
			credit[best] -= float64(total)
			if int(got) != slots[best].ID {
				t.Fatalf("seed %d: place %d is server %d's, want %d's", seed, place, got, slots[best].ID)
			}
		}
	}
}

func TestPickAllocatesNothing(t *testing.T) {
	slots := []Slot{{0, 1, new(atomic.Int32)}, {1, 5, new(atomic.Int32)}, {2, 9, new(atomic.Int32)}}
	key := KeyOf(netip.MustParseAddr("192.0.2.7"))
	for _, a := range []spec.Algorithm{spec.RoundRobin, spec.LeastConn, spec.SourceHash} {
		p := New(a, 1)
		p.Update(slots)
		if n := testing.AllocsPerRun(100, func() {
			p.Pick(key, 0)
			p.PickExcept(key, 1, 0)
		}); n != 0 {
			t.Errorf("%v: %v allocations per pick", a, n)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	for _, a := range []spec.Algorithm{spec.RoundRobin, spec.LeastConn, spec.SourceHash} {
		b.Run(a.String(), func(b *testing.B) {
			var slots []Slot
			for i := range 16 {
				slots = append(slots, Slot{i, 1 + i%4, new(atomic.Int32)})
			}
			p := New(a, 0)
			p.Update(slots)
			for b.Loop() {
				p.Pick(Key{Hash: 12345, OK: true}, 0)
			}
		})
	}
}
