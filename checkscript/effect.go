package checkscript

// Share is what one track adds to its instance at present.
type Share struct {
	Track
	Verdict Verdict
	Delta   int  // priority points, signed
	Fault   bool // the instance must be in FAULT
	Pending bool // the instance must not leave INIT yet
}

// Weigh returns what a track does to its instance while its probe has this
// verdict: a positive weight is added while the probe is up, a negative one
// subtracted while it is down, weight 0 turns "down" into FAULT, and `reverse`
// swaps up and down (keepalived.conf, track_script). A pending probe weighs
// nothing, but with weight 0 it holds the instance out of BACKUP.
func Weigh(t Track, v Verdict) Share {
	s := Share{Track: t, Verdict: v}
	if v == Pending {
		s.Pending = t.Weight == 0
		return s
	}
	good := (v == Up) != t.Reverse
	switch {
	case t.Weight == 0:
		s.Fault = !good
	case (t.Weight > 0) == good:
		s.Delta = t.Weight
	}
	return s
}

// Effect sums the shares of all tracks of an instance. verdict answers for a
// probe by its name.
func Effect(tracks []Track, verdict func(probe string) Verdict) (delta int, fault, pending bool) {
	for _, t := range tracks {
		s := Weigh(t, verdict(t.Probe))
		delta += s.Delta
		fault = fault || s.Fault
		pending = pending || s.Pending
	}
	return delta, fault, pending
}
