package keepalived

import (
	"math"
	"path"
	"time"

	"baton/checkscript"
	"baton/conf"
	"baton/internal/diag"
)

// maxFileWeight bounds the weights of files and processes.
const maxFileWeight = 254

// trackerDraft is a track_file or vrrp_track_process of the top level.
type trackerDraft struct {
	probe checkscript.Probe
	name  conf.Word
	block string
}

// fileKeywords is track_file.
func fileKeywords() []entry[trackerDraft] {
	return []entry[trackerDraft]{
		{name: "file", doc: "the file, with a number in it; missing counts as 0", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *trackerDraft) {
			w := b.Words[1]
			if !path.IsAbs(w.Text) || path.Clean(w.Text) == "/" {
				l.errs.Errorf(w.Pos, "write the whole path", "`file`: `%s` is not an absolute path", w.Text)
				return
			}
			d.probe.Path = path.Clean(w.Text)
		}},
		{name: "weight", doc: "1 by default: what the number is multiplied by; 0: FAULT unless the number is 0", min: 1, max: 2, parse: parseTrackerWeight},
		{name: "init_file", doc: "write a first number, 0 by default, if there is no file: init_file [VALUE] [overwrite]", max: 2, parse: func(l *lowerer, b *conf.Block, d *trackerDraft) {
			d.probe.Init = &checkscript.FileInit{}
			for _, w := range b.Words[1:] {
				if w.Text == "overwrite" {
					d.probe.Init.Overwrite = true
				} else if n, ok := l.integer("init_file", w, math.MinInt32, math.MaxInt32); ok {
					d.probe.Init.Value = n
				}
			}
		}},
	}
}

// processKeywords is vrrp_track_process.
func processKeywords() []entry[trackerDraft] {
	delay := func(name, doc string, set func(p *checkscript.Probe, v time.Duration)) entry[trackerDraft] {
		return entry[trackerDraft]{name: name, doc: doc, min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *trackerDraft) {
			w := b.Words[1]
			v, ok := parseSeconds(w.Text)
			if !ok || v > time.Hour {
				l.errs.Errorf(w.Pos, "seconds, such as 0.5", "`%s` must be from 0 to 3600 seconds, not `%s`", name, w.Text)
				return
			}
			set(&d.probe, v)
		}}
	}
	quorum := func(name, doc string, lowest int, set func(p *checkscript.Probe, n int)) entry[trackerDraft] {
		return entry[trackerDraft]{name: name, doc: doc, min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *trackerDraft) {
			if n, ok := l.integer(name, b.Words[1], lowest, 65535); ok {
				set(&d.probe, n)
			}
		}}
	}
	return []entry[trackerDraft]{
		{name: "process", doc: "the name of the process, and maybe the arguments that it must have", min: 1, max: -1, parse: func(l *lowerer, b *conf.Block, d *trackerDraft) {
			words := b.Words[1:]
			d.probe.Match.Name, d.probe.Match.Args = words[0].Text, nil
			for _, w := range words[1:] {
				d.probe.Match.Args = append(d.probe.Match.Args, w.Text)
			}
			if words[0].Text == "" {
				l.errs.Errorf(words[0].Pos, "", "`process` has no name")
			}
			if len(words) > 1 {
				d.probe.Match.CommandLine = true
			}
		}},
		{name: "param_match", doc: "partial: more arguments may follow; initial: the last may be the beginning of one", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *trackerDraft) {
			m := &d.probe.Match
			m.CommandLine, m.Partial, m.Initial = true, false, false
			switch w := b.Words[1]; w.Text {
			case "partial":
				m.Partial = true
			case "initial":
				m.Initial = true
			default:
				l.errs.Errorf(w.Pos, "", "`param_match` must be initial or partial, not `%s`", w.Text)
			}
		}},
		{name: "full_command", doc: "compare with the command line even if there are no arguments", parse: func(_ *lowerer, _ *conf.Block, d *trackerDraft) {
			d.probe.Match.CommandLine = true
		}},
		{name: "weight", doc: "1 by default: as that of a script; 0: FAULT when the number of processes is wrong", min: 1, max: 2, parse: parseTrackerWeight},
		quorum("quorum", "how many processes must run, 1 by default", 1, func(p *checkscript.Probe, n int) { p.Quorum = n }),
		quorum("quorum_max", "how many may run; 0: none", 0, func(p *checkscript.Probe, n int) { p.QuorumMax = n }),
		delay("fork_delay", "seconds that the number must be right before it counts", func(p *checkscript.Probe, v time.Duration) { p.ForkDelay = v }),
		delay("terminate_delay", "seconds that the number must be wrong before it counts", func(p *checkscript.Probe, v time.Duration) { p.TerminateDelay = v }),
		delay("delay", "fork_delay and terminate_delay", func(p *checkscript.Probe, v time.Duration) { p.ForkDelay, p.TerminateDelay = v, v }),
	}
}

func parseTrackerWeight(l *lowerer, b *conf.Block, d *trackerDraft) {
	n, ok := l.integer("weight", b.Words[1], -maxFileWeight, maxFileWeight)
	if !ok {
		return
	}
	d.probe.Weight, d.probe.Reverse = n, false
	if len(b.Words) > 2 {
		switch w := b.Words[2]; w.Text {
		case "reverse":
			d.probe.Reverse = true
		case "noreverse", "no_reverse":
		default:
			l.errs.Errorf(w.Pos, "", "`weight` is followed by `reverse`, `noreverse` or nothing, not `%s`", w.Text)
		}
	}
}

// parseFile reads a track_file block of the top level.
func parseFile(l *lowerer, b *conf.Block, _ *lowerer) {
	d := l.newTracker(b, checkscript.File, "track_file")
	d.probe.Weight = 1
	lowerBody(l, "track_file", l.file, b.Body, d)
	if d.probe.Path == "" && !has(b.Body, "file") {
		l.errs.Errorf(d.name.Pos, `add file "/path"`, "track_file %s has no `file`", d.name.Text)
	}
	l.addTracker(d)
}

// parseProcess reads a vrrp_track_process block of the top level.
func parseProcess(l *lowerer, b *conf.Block, _ *lowerer) {
	d := l.newTracker(b, checkscript.Process, "track_process")
	d.probe.Weight, d.probe.Quorum, d.probe.QuorumMax = 1, 1, -1
	lowerBody(l, "vrrp_track_process", l.process, b.Body, d)
	p := &d.probe
	switch {
	case !has(b.Body, "process"):
		l.errs.Errorf(d.name.Pos, "add process NAME", "vrrp_track_process %s has no `process`", d.name.Text)
	case p.QuorumMax >= 0 && !has(b.Body, "quorum"):
		p.Quorum = min(p.Quorum, p.QuorumMax) // quorum_max 0: none may run
	case p.QuorumMax >= 0 && p.QuorumMax < p.Quorum:
		l.errs.Errorf(d.name.Pos, "", "vrrp_track_process %s: no number of processes is at least %d and at most %d", d.name.Text, p.Quorum, p.QuorumMax)
	}
	l.addTracker(d)
}

func has(body []*conf.Block, keyword string) bool {
	for _, b := range body {
		if b.Words[0].Text == keyword {
			return true
		}
	}
	return false
}

func (l *lowerer) newTracker(b *conf.Block, kind checkscript.Kind, block string) *trackerDraft {
	name := b.Words[1]
	p := newProbe(kind, block+" "+name.Text, name.Pos)
	p.Timeout = p.Interval
	return &trackerDraft{name: name, block: block, probe: p}
}

func (l *lowerer) addTracker(d *trackerDraft) {
	if first := l.trackers[d.probe.Name]; first != nil {
		l.errs.Errorf(d.name.Pos, "", "%s %s stands twice: it is also at %s", d.block, d.name.Text, first.name.Pos)
		return
	}
	l.trackers[d.probe.Name] = d
	l.trackerOrder = append(l.trackerOrder, d)
	l.probes[d.probe.Name] = &d.probe
}

// parseTrackers reads the lines of a track_file or track_process block within an
// instance or a sync group.
func parseTrackers(l *lowerer, b *conf.Block, into *instanceDraft) {
	block := b.Words[0].Text
	for _, line := range b.Body {
		name := line.Words[0]
		if line.HasBody {
			l.errs.Errorf(name.Pos, "", "`%s` opens no block in %s", name.Text, block)
			continue
		}
		var draft trackDraft
		lowerStream(l, block, l.trackFile, line.Words[1:], &draft)
		d := l.trackers[block+" "+name.Text]
		if d == nil {
			var names []string
			for _, other := range l.trackerOrder {
				if other.block == block {
					names = append(names, other.name.Text)
				}
			}
			declare := map[string]string{"track_file": "track_file", "track_process": "vrrp_track_process"}[block]
			hint := "declare it: " + declare + " " + name.Text + " { ... }"
			if near := diag.Nearest(name.Text, names); near != "" {
				hint = "did you mean `" + near + "`?"
			}
			l.errs.Errorf(name.Pos, hint, "there is no %s %s", declare, name.Text)
			continue
		}
		l.track(into, draft.over(d.probe, name.Pos))
	}
}

// parseTrackInterfaces reads the lines of a track_interface block.
func parseTrackInterfaces(l *lowerer, b *conf.Block, into *instanceDraft) {
	for _, line := range b.Body {
		name := line.Words[0]
		if line.HasBody {
			l.errs.Errorf(name.Pos, "", "`%s` opens no block in track_interface", name.Text)
			continue
		}
		var draft trackDraft
		lowerStream(l, "track_interface", l.trackScript, line.Words[1:], &draft)
		if !l.interfaceName("track_interface", name) {
			continue
		}
		key := "track_interface " + name.Text
		if l.probes[key] == nil {
			p := newProbe(checkscript.Interface, key, name.Pos)
			p.Interface, p.Timeout = name.Text, p.Interval
			l.probes[key] = &p
		}
		l.track(into, draft.over(*l.probes[key], name.Pos))
	}
}

// over is the track of a probe, with the weight and direction of the line where it
// names them.
func (d trackDraft) over(p checkscript.Probe, pos diag.Pos) checkscript.Track {
	t := checkscript.Track{Probe: p.Name, Weight: p.Weight, Reverse: p.Reverse, Pos: pos}
	if d.weight != nil {
		t.Weight = *d.weight
	}
	if d.reverse != nil {
		t.Reverse = *d.reverse
	}
	return t
}
