package lab

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTenure(t *testing.T) {
	const s = time.Second
	var te tenure
	te.gained("lb1", 1*s)
	te.died("lb2", 2*s) // holds nothing
	te.died("lb1", 3*s)
	te.lost("lb1", 5*s)
	te.gained("lb2", 6*s)
	te.gained("lb1", 10*s)
	te.lost("lb2", 11*s)
	if !te.holds("lb1") || te.holds("lb2") {
		t.Errorf("holds: lb1 %v, lb2 %v", te.holds("lb1"), te.holds("lb2"))
	}
	if got := te.last("lb1").from; got != 10*s {
		t.Errorf("lb1's last span is from %v, want 10 s", got)
	}
	got := te.until(20 * s)
	want := []span{{"lb1", 1 * s, 5 * s, 3 * s}, {"lb2", 6 * s, 11 * s, 0}, {"lb1", 10 * s, 20 * s, 0}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(span{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff([]time.Duration{s, 3 * s}, []time.Duration{shared(got, 0), nobody(got, 22*s)}); d != "" {
		t.Errorf("both at once, nobody (-want +got):\n%s", d)
	}
	if te.spans[2].to != 0 {
		t.Error("until closed a span that is still open")
	}
	if got := nobody(nil, s); got != 0 {
		t.Errorf("nobody = %v before anybody held the address, want 0", got)
	}
}
