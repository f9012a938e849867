package keepalived

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"baton/checkscript"
	"baton/conf"
	"baton/internal/diag"
	"baton/vrrp"
)

// trackDraft is one line of track_script: what stands behind the name.
type trackDraft struct {
	weight  *int // nil: the script's own
	reverse *bool
}

// trackKeywords is what may follow a name in track_script.
func trackKeywords(limit int) []entry[trackDraft] {
	direction := func(reverse bool) func(*lowerer, *conf.Block, *trackDraft) {
		return func(_ *lowerer, _ *conf.Block, d *trackDraft) { d.reverse = &reverse }
	}
	return []entry[trackDraft]{
		{name: "weight", doc: fmt.Sprintf("-%d..%d, instead of its own", limit, limit), min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *trackDraft) {
			if n, ok := l.integer("weight", b.Words[1], -limit, limit); ok {
				d.weight = &n
			}
		}},
		{name: "reverse", doc: "success counts as failure and failure as success", parse: direction(true)},
		{name: "noreverse", doc: "not so, although the script says reverse", parse: direction(false)},
		{name: "no_reverse", doc: "the same as noreverse", parse: direction(false)},
	}
}

// trackRows is what an instance and a sync group may track.
func trackRows() []entry[instanceDraft] {
	return append([]entry[instanceDraft]{
		{name: "track_script", doc: "vrrp_scripts that decide whether this node may serve: NAME [weight N] [reverse]", body: true, many: true, parse: parseTrackScript},
		{name: "track_backend", doc: "baton's own: track_backend NAME { min_servers N weight N }", min: 1, max: 1, body: true, many: true, parse: parseTrackBackend},
		{name: "track_traffic", doc: "baton's own: track_traffic NAME { frontend F uri /path weight N }", min: 1, max: 1, body: true, many: true, parse: parseTrackTraffic},
		{name: "track_interface", doc: "interfaces that must be up: NAME [weight N] [reverse]", body: true, many: true, parse: parseTrackInterfaces},
		{name: "track_file", doc: "numbers in files that are added to the priority: NAME [weight N] [reverse]", body: true, many: true, parse: parseTrackers},
		{name: "track_process", doc: "processes that must run: NAME [weight N] [reverse]", body: true, many: true, parse: parseTrackers},
	}, refuse[instanceDraft]("use a vrrp_script", "track_bfd")...)
}

// parseTrackScript reads the lines of a track_script block.
func parseTrackScript(l *lowerer, b *conf.Block, into *instanceDraft) {
	for _, line := range b.Body {
		name := line.Words[0]
		if line.HasBody {
			l.errs.Errorf(name.Pos, "", "`%s` opens no block in track_script", name.Text)
			continue
		}
		var d trackDraft
		lowerStream(l, "track_script", l.trackScript, line.Words[1:], &d)
		script := l.scripts[name.Text]
		if script == nil {
			var names []string
			for _, s := range l.scriptOrder {
				names = append(names, s.name.Text)
			}
			hint := "declare it: vrrp_script " + name.Text + " { ... }"
			if near := diag.Nearest(name.Text, names); near != "" {
				hint = "did you mean `" + near + "`?"
			}
			l.errs.Errorf(name.Pos, hint, "there is no vrrp_script %s", name.Text)
			continue
		}
		track := checkscript.Track{Probe: name.Text, Weight: script.probe.Weight, Reverse: script.probe.Reverse, Pos: name.Pos}
		if d.weight != nil {
			track.Weight = *d.weight
		}
		if d.reverse != nil {
			track.Reverse = *d.reverse
		}
		l.track(into, track)
	}
}

// track adds a probe to an instance.
func (l *lowerer) track(into *instanceDraft, t checkscript.Track) {
	for _, other := range into.tracks {
		if other.Probe == t.Probe {
			l.errs.Errorf(t.Pos, "", "%s is tracked twice: it is also at %s", t.Probe, other.Pos)
			return
		}
	}
	into.tracks = append(into.tracks, t)
	if !l.isTracked[t.Probe] {
		l.isTracked[t.Probe] = true
		l.tracked = append(l.tracked, t.Probe)
	}
}

// withoutOwn drops what tracks the instance's own interface, as keepalived does: its state
// counts already, or dont_track_primary says that it must not.
func (l *lowerer) withoutOwn(tracks []checkscript.Track, v *vrrp.Config) []checkscript.Track {
	return slices.DeleteFunc(slices.Clone(tracks), func(t checkscript.Track) bool {
		p := l.probes[t.Probe]
		own := p != nil && p.Kind == checkscript.Interface && p.Interface == v.Interface
		if own {
			l.errs.Warnf(t.Pos, "take it out: without dont_track_primary the instance goes to FAULT with its interface anyway",
				"track_interface %s has no effect: it is the interface of vrrp_instance %s itself", p.Interface, v.Name)
		}
		return own
	})
}

// probeDraft is a track_backend or track_traffic block.
type probeDraft struct {
	checkscript.Probe
	weighed bool // names a weight, if only 0
}

// probeKeywords are what both kinds of in-process probe share.
func probeKeywords() []entry[probeDraft] {
	return []entry[probeDraft]{
		{name: "weight", doc: "-253..253: what success adds to the priority or failure takes from it; 0, the default: failure is FAULT", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *probeDraft) {
			d.weighed = true
			if n, ok := l.integer("weight", b.Words[1], -maxWeight, maxWeight); ok {
				d.Weight = n
			}
		}},
		{name: "reverse", doc: "success counts as failure and failure as success", parse: func(_ *lowerer, _ *conf.Block, d *probeDraft) { d.Reverse = true }},
	}
}

// backendKeywords is track_backend. It looks when a server's state changes, and
// the servers' own checks have counted by then: there is no interval, rise or fall.
func backendKeywords() []entry[probeDraft] {
	own := []entry[probeDraft]{
		{name: "min_servers", doc: "usable servers that the backend needs, 1 by default", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *probeDraft) {
			if n, ok := l.integer("min_servers", b.Words[1], 1, math.MaxInt32); ok {
				d.MinServers = n
			}
		}},
	}
	counted := refuse[probeDraft]("it looks when a server's state changes, and the servers' own inter, rise and fall have counted by then",
		"interval", "rise", "fall")
	for i := range counted {
		counted[i].max = 1
	}
	return slices.Concat(probeKeywords(), own, counted)
}

// trafficKeywords is track_traffic.
func trafficKeywords() []entry[probeDraft] {
	return append(probeKeywords(), []entry[probeDraft]{
		{name: "rise", doc: "successes in a row that end a failure, 1 by default", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *probeDraft) {
			if n, ok := l.integer("rise", b.Words[1], 1, math.MaxInt32); ok {
				d.Rise = n
			}
		}},
		{name: "fall", doc: "failures in a row that end a success, 1 by default", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *probeDraft) {
			if n, ok := l.integer("fall", b.Words[1], 1, math.MaxInt32); ok {
				d.Fall = n
			}
		}},
		{name: "interval", doc: "seconds from one look to the next, 1 by default; fractions are allowed", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *probeDraft) {
			if v, ok := l.seconds("interval", b.Words[1]); ok {
				d.Interval = v
			}
		}},
		{name: "init_fail", doc: "count as failed before the first result", parse: func(_ *lowerer, _ *conf.Block, d *probeDraft) { d.InitFail = true }},
		{name: "frontend", doc: "the frontend whose own listener is asked; while it is full, its event loop", min: 1, max: 1, parse: func(_ *lowerer, b *conf.Block, d *probeDraft) {
			d.Frontend = b.Words[1].Text
		}},
		{name: "uri", doc: "the path to ask for, / by default; a status below 500 is an answer", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *probeDraft) {
			w := b.Words[1]
			if !strings.HasPrefix(w.Text, "/") || strings.ContainsFunc(w.Text, func(r rune) bool { return r <= ' ' || r > '~' }) {
				l.errs.Errorf(w.Pos, "a path, such as /health", "`uri` must start with / and hold no blanks or control characters, not `%s`", w.Text)
				return
			}
			d.URI = w.Text
		}},
		{name: "timeout", doc: "seconds that the answer may take, by default the interval; more while the host has no processor for baton", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *probeDraft) {
			if v, ok := l.seconds("timeout", b.Words[1]); ok {
				d.Timeout = v
			}
		}},
	}...)
}

// parseTrackBackend reads `track_backend NAME { min_servers 1 weight -50 }`.
func parseTrackBackend(l *lowerer, b *conf.Block, into *instanceDraft) {
	d := &probeDraft{Probe: newProbe(checkscript.Backend, "", b.Words[1].Pos)}
	d.Backend, d.MinServers = b.Words[1].Text, 1
	lowerStream(l, "track_backend", l.trackBackend, l.flatten(b.Body), d)
	l.trackInProcess(b, into, d)
}

// parseTrackTraffic reads `track_traffic NAME { frontend web uri /health }`.
func parseTrackTraffic(l *lowerer, b *conf.Block, into *instanceDraft) {
	d := &probeDraft{Probe: newProbe(checkscript.Traffic, "", b.Words[1].Pos)}
	d.URI = "/"
	words := l.flatten(b.Body)
	lowerStream(l, "track_traffic", l.trackTraffic, words, d)
	if d.Frontend == "" {
		for _, w := range words {
			if w.Text == "frontend" {
				return // it lacks its value: said already
			}
		}
		l.errs.Errorf(b.Words[1].Pos, "add frontend NAME", "track_traffic %s names no `frontend`", b.Words[1].Text)
		return
	}
	l.trackInProcess(b, into, d)
}

// trackInProcess makes the probe and its track.
func (l *lowerer) trackInProcess(b *conf.Block, into *instanceDraft, d *probeDraft) {
	if d.Timeout == 0 {
		d.Timeout = d.Interval
	}
	d.Name = l.probeName(b.Words[0].Text, b.Words[1].Text, into.name.Text, d.Probe)
	if l.probes[d.Name] == nil {
		l.probes[d.Name] = &d.Probe
	}
	if !d.weighed {
		// Every node asks the same servers, so they tend to fail together.
		l.errs.Warnf(b.Words[1].Pos, "give it a weight, such as -50, to let the addresses stay where every node fails alike",
			"`%s %s` has no weight, so a failure is FAULT: if it fails on all nodes, none holds the addresses", b.Words[0].Text, b.Words[1].Text)
	}
	l.track(into, checkscript.Track{Probe: d.Name, Weight: d.Weight, Reverse: d.Reverse, Pos: b.Words[1].Pos})
}
