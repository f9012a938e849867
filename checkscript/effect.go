package checkscript

// Share is what one track adds to its instance at present.
type Share struct {
	Track
	Verdict Verdict
	Number  bool // Value is what the probe reads
	Value   int
	Delta   int  // priority points, signed
	Fault   bool // the instance must be in FAULT
	Pending bool // the instance must not leave INIT yet
}

// lowestDelta is the lowest number of points that a track may take; below that the
// instance is in FAULT (keepalived.conf, track_file).
const lowestDelta = -253

// Weigh returns what a track does to its instance while its probe reads this: a
// positive weight is added while the probe is up, a negative one subtracted while
// it is down, `reverse` turns both round (added becomes subtracted), and weight 0
// makes FAULT of "down", or with `reverse` of "up". A number is multiplied by the
// weight, and is a failure for weight 0 unless it is 0. A pending probe weighs
// nothing, but with weight 0 it holds the instance out of BACKUP.
func Weigh(t Track, r Reading) Share {
	s := Share{Track: t, Verdict: r.Verdict, Number: r.Number, Value: r.Value}
	if r.Verdict == Pending {
		s.Pending = t.Weight == 0
		return s
	}
	good := r.Verdict == Up
	if r.Number {
		good = r.Value == 0
	}
	switch {
	case t.Weight == 0:
		s.Fault = good == t.Reverse
		return s
	case r.Number:
		s.Delta = r.Value * t.Weight
	case (t.Weight > 0) == good:
		s.Delta = t.Weight
	}
	if t.Reverse {
		s.Delta = -s.Delta
	}
	if s.Delta < lowestDelta {
		s.Delta, s.Fault = 0, true
	}
	return s
}

// Effect sums the shares of all tracks of an instance. reading answers for a
// probe by its name.
func Effect(tracks []Track, reading func(probe string) Reading) (delta int, fault, pending bool) {
	for _, t := range tracks {
		s := Weigh(t, reading(t.Probe))
		delta += s.Delta
		fault = fault || s.Fault
		pending = pending || s.Pending
	}
	return delta, fault, pending
}
