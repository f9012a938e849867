package lab

import (
	"time"
)

// answer is a Result on the demo's clock.
type answer struct {
	stream     string
	sent, done time.Duration
	web        string
	err        string // empty: answered
}

// act is one chapter of the demo and what the client saw in it.
type act struct {
	title    string
	from     time.Duration
	longest  map[string]time.Duration // by stream: the longest time without an answer
	answered int
	failed   int
}

// traffic turns what became of each request into figures, and into what is worth
// a line of the timeline. The longest gap of an act is the longest time between
// two answers of a stream of which the second came in that act, or never.
//
// Time passes by what the client says, not by this process's clock: a result
// that is late on its way here does not look like an outage.
type traffic struct {
	acts     []act
	last     map[string]time.Duration // by stream: the last answer
	answered map[string]int           // by web server
	failed   map[string]int           // by reason
	halves   []half

	lastAny   time.Duration // the last answer of any stream; 0: none yet
	silent    bool          // no answer for longer than silence
	recovered time.Duration // what was sent before this time belongs to an outage that is over
	mishaps   mishaps
	unmended  answer // the first failure since the last answer
}

// mishaps are failures in a row, or between answers.
type mishaps struct {
	n           int
	first, last answer
}

// half counts one half second, for the picture.
type half struct{ answered, failed int }

const (
	halfSecond = 500 * time.Millisecond
	silence    = 200 * time.Millisecond // more than this without any answer is an outage
)

func newTraffic() *traffic {
	return &traffic{last: make(map[string]time.Duration), answered: make(map[string]int), failed: make(map[string]int)}
}

// begin opens an act.
func (t *traffic) begin(title string, now time.Duration) {
	t.end(now)
	t.acts = append(t.acts, act{title: title, from: now, longest: make(map[string]time.Duration)})
}

// end closes the present act: a client that still waits for an answer has a gap too.
func (t *traffic) end(now time.Duration) {
	if !t.silent {
		return
	}
	for stream, last := range t.last {
		t.gap(stream, now-last)
	}
}

func (t *traffic) gap(stream string, d time.Duration) {
	if a := t.act(); a != nil {
		a.longest[stream] = max(a.longest[stream], d)
	}
}

// act is the present one, nil before the first.
func (t *traffic) act() *act {
	if len(t.acts) == 0 {
		return nil
	}
	return &t.acts[len(t.acts)-1]
}

// add takes one result and returns what to tell.
func (t *traffic) add(a answer) []entry {
	h := t.half(a.done)
	if a.err != "" {
		h.failed++
		t.fail(a)
		return nil
	}
	h.answered++
	t.answered[a.web]++
	if act := t.act(); act != nil {
		act.answered++
	}
	if last, ok := t.last[a.stream]; ok {
		t.gap(a.stream, a.done-last)
	}
	t.last[a.stream] = max(t.last[a.stream], a.done)

	tell := t.clock(a.done)
	if t.silent {
		text := "is answered again, by " + a.web + ", after " + ms(a.done-t.lastAny)
		tell = append(tell, entry{a.done, "client", text, goodTone})
		t.silent, t.recovered, t.mishaps = false, a.done, mishaps{}
	}
	t.lastAny, t.unmended = max(t.lastAny, a.done), answer{}
	return tell
}

func (t *traffic) half(at time.Duration) *half {
	i := int(at / halfSecond)
	for len(t.halves) <= i {
		t.halves = append(t.halves, half{})
	}
	return &t.halves[i]
}

func (t *traffic) fail(a answer) {
	t.failed[a.err]++
	if act := t.act(); act != nil {
		act.failed++
	}
	if a.sent < t.recovered { // a latecomer of an outage that is over
		return
	}
	if t.mishaps.n++; t.mishaps.n == 1 {
		t.mishaps.first = a
	}
	t.mishaps.last = a
	if t.unmended.err == "" {
		t.unmended = a
	}
}

// clock says that it is now by the client's clock, and that everything up to now
// has been added.
func (t *traffic) clock(now time.Duration) []entry {
	m := &t.mishaps
	switch {
	case t.lastAny == 0 || t.silent:
		return nil
	case now-t.lastAny > silence:
		t.silent = true
		if f := t.unmended; f.err != "" {
			return []entry{{f.done, "client", "gets no answer: " + f.err, badTone}}
		}
		return []entry{{t.lastAny + requestEvery, "client", "gets no answer", badTone}}
	case m.n > 0 && now-m.last.done > silence:
		text := "1 request failed (" + m.last.err + "), the others were answered"
		if m.n > 1 {
			text = count(m.n) + " requests failed in " + ms(m.last.done-m.first.done) + " (" + m.last.err + "), the others were answered"
		}
		at := m.last.done
		t.mishaps = mishaps{}
		return []entry{{at, "client", text, badTone}}
	}
	return nil
}
