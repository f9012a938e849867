//go:build !race

package pattern

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// Under the race detector sync.Pool, which regexp uses, drops things at random.
func TestLookupsAllocateNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, m := range append([]Method{Int, IP}, byteMethods...) {
		l := NewList("f", randomLines(r, m, 20))
		v := view(t, l, Options{Method: m, FoldCase: true})
		if err := l.Add(0, randomLines(r, m, 3)...); err != nil {
			t.Fatal(err)
		}
		b, a := []byte("/abab/bbaa.b?kkkkkkkk"), netip.MustParseAddr("10.1.1.1")
		if n := testing.AllocsPerRun(100, func() {
			switch m {
			case Int:
				v.Int(7)
			case IP:
				v.Addr(a)
			default:
				v.Bytes(b)
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations", m, n)
		}
	}
}

func BenchmarkTenThousand(b *testing.B) {
	const n = 10000
	hosts := make([]Line, n)
	nets := make([]Line, n)
	for i := range n {
		hosts[i] = Line{Pattern: fmt.Sprintf("host%d.customer%d.example.com", i, i%97)}
		nets[i] = Line{Pattern: fmt.Sprintf("10.%d.%d.0/%d", i/256, i%256, 20+i%5)}
	}
	sample := []byte("host7777.customer17.example.com")
	for _, m := range []Method{Str, Beg, End, Sub, Dom, Reg} {
		b.Run(m.String(), func(b *testing.B) {
			s := compile(b, Options{Method: m, FoldCase: true}, hosts)
			for b.Loop() {
				if s.Bytes(sample) == nil {
					b.Fatal("not found")
				}
			}
		})
	}
	b.Run("ip", func(b *testing.B) {
		s := compile(b, Options{Method: IP}, nets)
		a := netip.MustParseAddr("10.30.97.5")
		for b.Loop() {
			if s.Addr(a) == nil {
				b.Fatal("not found")
			}
		}
	})
	b.Run("add", func(b *testing.B) {
		l := NewList("f", hosts)
		view(b, l, Options{Method: Str})
		for i := 0; b.Loop(); i++ {
			if err := l.Add(0, Line{Pattern: fmt.Sprint("new", i)}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
