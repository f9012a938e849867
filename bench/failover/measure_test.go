package main

import (
	"testing"
	"time"
)

func at(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }

func TestLongest(t *testing.T) {
	for name, tt := range map[string]struct {
		answers []int
		from    int
		want    time.Duration
	}{
		"steady":                       {[]int{9, 10, 11, 12, 19}, 10, 7 * time.Millisecond},
		"out of order":                 {[]int{19, 10, 15}, 10, 5 * time.Millisecond},
		"a gap that began before":      {[]int{2, 18}, 10, 16 * time.Millisecond},
		"never again":                  {[]int{9}, 10, 11 * time.Millisecond},
		"no answer at all":             {nil, 10, 10 * time.Millisecond},
		"what came later is not known": {[]int{10, 12, 30}, 10, 8 * time.Millisecond},
	} {
		var list []time.Time
		for _, ms := range tt.answers {
			list = append(list, at(ms))
		}
		if got := longest(list, at(tt.from), at(20)); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestBoth(t *testing.T) {
	spans := []span{
		{node: "a", from: at(0), to: at(100)}, {node: "b", from: at(90)}, {node: "a", from: at(300), to: at(310)},
	}
	for name, tt := range map[string]struct {
		from, end          int
		both, heldA, heldB time.Duration
	}{
		"all":        {0, 400, 20 * time.Millisecond, 110 * time.Millisecond, 310 * time.Millisecond},
		"the second": {95, 305, 10 * time.Millisecond, 10 * time.Millisecond, 210 * time.Millisecond},
		"none":       {100, 290, 0, 0, 190 * time.Millisecond},
	} {
		s := cut(spans, at(tt.from), at(tt.end))
		if both(s) != tt.both || heldBy(s, "a") != tt.heldA || heldBy(s, "b") != tt.heldB {
			t.Errorf("%s: both %v, a %v, b %v", name, both(s), heldBy(s, "a"), heldBy(s, "b"))
		}
	}
}

func TestMedian(t *testing.T) {
	if got := median([]time.Duration{5, 1, 9}); got != 5 {
		t.Errorf("of three: %v", got)
	}
	if got := median([]time.Duration{5, 1, 9, 7}); got != 6 {
		t.Errorf("of four: %v", got)
	}
}
