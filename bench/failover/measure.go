package main

import (
	"slices"
	"time"
)

// span is a time for which a node's kernel had the address; to is zero while it has.
type span struct {
	node     string
	from, to time.Time
}

// cut returns what lies between from and end.
func cut(spans []span, from, end time.Time) []span {
	var out []span
	for _, s := range spans {
		if s.to.IsZero() || s.to.After(end) {
			s.to = end
		}
		if s.from.Before(from) {
			s.from = from
		}
		if s.to.After(s.from) {
			out = append(out, s)
		}
	}
	return out
}

// both returns for how long two nodes held the address at once.
func both(spans []span) (sum time.Duration) {
	for i, a := range spans {
		for _, b := range spans[i+1:] {
			if a.node == b.node {
				continue
			}
			from, to := a.from, a.to
			if b.from.After(from) {
				from = b.from
			}
			if b.to.Before(to) {
				to = b.to
			}
			sum += max(0, to.Sub(from))
		}
	}
	return sum
}

// heldBy returns for how long one node held it.
func heldBy(spans []span, node string) (sum time.Duration) {
	for _, s := range spans {
		if s.node == node {
			sum += s.to.Sub(s.from)
		}
	}
	return sum
}

// longest returns the longest time without an answer between from and end. An
// answer before from counts as the one that the first gap begins with.
func longest(answers []time.Time, from, end time.Time) time.Duration {
	slices.SortFunc(answers, time.Time.Compare)
	last, gap := from, time.Duration(0)
	for _, a := range answers {
		switch {
		case a.After(end):
		case a.Before(from):
			last = a
		default:
			gap, last = max(gap, a.Sub(last)), a
		}
	}
	return max(gap, end.Sub(last))
}

// median of a list that is not empty.
func median(list []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(list))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
