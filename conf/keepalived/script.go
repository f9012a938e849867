package keepalived

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"baton/checkscript"
	"baton/conf"
	"baton/internal/diag"
)

func newProbe(kind checkscript.Kind, name string, pos diag.Pos) checkscript.Probe {
	return checkscript.Probe{Name: name, Kind: kind, Pos: pos, Interval: time.Second, Rise: 1, Fall: 1}
}

// scriptDraft is one vrrp_script.
type scriptDraft struct {
	probe   checkscript.Probe
	name    conf.Word
	command []conf.Word // behind `script`
	user    bool        // has a `user` of its own
}

// scriptKeywords is vrrp_script.
func scriptKeywords() []entry[scriptDraft] {
	return []entry[scriptDraft]{
		{name: "script", doc: "the command, in quotes if it has arguments; no shell is involved", min: 1, max: -1, parse: func(_ *lowerer, b *conf.Block, d *scriptDraft) {
			d.command = b.Words[1:]
		}},
		{name: "interval", doc: "seconds from one run to the next, 1 by default; fractions are allowed", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *scriptDraft) {
			if v, ok := l.seconds("interval", b.Words[1]); ok {
				d.probe.Interval = v
			}
		}},
		{name: "timeout", doc: "seconds after which a run has failed and is killed; by default the interval", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *scriptDraft) {
			if v, ok := l.seconds("timeout", b.Words[1]); ok {
				d.probe.Timeout = v
			}
		}},
		{name: "weight", doc: "-253..253 [reverse]: what success adds to the priority or failure takes from it; 0, the default: failure is FAULT", min: 1, max: 2, parse: func(l *lowerer, b *conf.Block, d *scriptDraft) {
			if n, reverse, ok := l.weight(b.Words[1:]); ok {
				d.probe.Weight, d.probe.Reverse = n, reverse
			}
		}},
		{name: "rise", doc: "successes in a row that end a failure, 1 by default", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *scriptDraft) {
			if n, ok := l.integer("rise", b.Words[1], 1, math.MaxInt32); ok {
				d.probe.Rise = n
			}
		}},
		{name: "fall", doc: "failures in a row that end a success, 1 by default", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *scriptDraft) {
			if n, ok := l.integer("fall", b.Words[1], 1, math.MaxInt32); ok {
				d.probe.Fall = n
			}
		}},
		{name: "user", doc: "user and group that the script runs as: user USER [GROUP]", min: 1, max: 2, parse: func(_ *lowerer, b *conf.Block, d *scriptDraft) {
			d.user = true
			d.probe.User, d.probe.Group = b.Words[1].Text, ""
			if len(b.Words) > 2 {
				d.probe.Group = b.Words[2].Text
			}
		}},
		{name: "init_fail", doc: "count as failed before the first result", parse: func(_ *lowerer, _ *conf.Block, d *scriptDraft) {
			d.probe.InitFail = true
		}},
	}
}

// parseScript reads a vrrp_script block.
func parseScript(l *lowerer, b *conf.Block, _ *lowerer) {
	name := b.Words[1]
	d := &scriptDraft{name: name, probe: newProbe(checkscript.Script, name.Text, name.Pos)}
	lowerBody(l, "vrrp_script", l.script, b.Body, d)
	if !slices.ContainsFunc(b.Body, func(c *conf.Block) bool { return c.Words[0].Text == "script" }) {
		l.errs.Errorf(name.Pos, `add script "/path/to/check"`, "vrrp_script %s has no `script`", name.Text)
	}
	if first := l.scripts[name.Text]; first != nil {
		l.errs.Errorf(name.Pos, "", "vrrp_script %s stands twice: it is also at %s", name.Text, first.name.Pos)
		return
	}
	l.scripts[name.Text] = d
	l.scriptOrder = append(l.scriptOrder, d)
}

// finishScript applies defaults and looks at the command.
func (l *lowerer) finishScript(d *scriptDraft) {
	p := &d.probe
	if p.Timeout == 0 {
		p.Timeout = p.Interval
	}
	if !d.user {
		p.User, p.Group = l.globals.scriptUser, l.globals.scriptGroup
	}
	l.probes[p.Name] = p
	if len(d.command) == 0 {
		return // said already
	}
	p.CommandPos = d.command[0].Pos
	p.Argv = l.command(d.command)
	if len(p.Argv) > 0 && asksForBalancer(p.Argv) {
		p.Kind = checkscript.Self
	}
}

// command splits what stands behind `script` into program and arguments: blanks
// separate, quotes within the string group.
func (l *lowerer) command(words []conf.Word) []string {
	first := words[0]
	if len(words) > 1 && !words[1].Quoted && l.script.has(words[1].Text) {
		l.errs.Errorf(words[1].Pos, "a keyword begins on a line of its own", "unexpected `%s` behind `script`", words[1].Text)
		return nil
	}
	if len(words) > 1 {
		// keepalived would silently run the command without its arguments.
		l.errs.Warnf(first.Pos, "put the whole command in quotes: keepalived drops the arguments of a command without", "a command with arguments, but not in quotes")
		var argv []string
		for _, w := range words {
			argv = append(argv, w.Text)
		}
		return argv
	}
	argv, ok := splitCommand(first.Text)
	switch {
	case !ok:
		l.errs.Errorf(first.Pos, "", "unterminated quote in the command `%s`", first.Text)
	case len(argv) == 0 || argv[0] == "":
		l.errs.Errorf(first.Pos, "", "the command is empty")
	default:
		l.warnShell(argv, first.Pos)
		return argv
	}
	return nil
}

// warnShell tells of words that only a shell would understand: as arguments they
// make a check that always fails, or one that never does.
func (l *lowerer) warnShell(argv []string, at diag.Pos) {
	for i, a := range argv {
		if i > 0 && argv[i-1] == "-c" {
			continue // for the shell that the command itself starts
		}
		switch {
		case slices.Contains([]string{"|", "||", "&&", "&", ";"}, a), strings.HasPrefix(a, "$("), strings.HasPrefix(a, "`"),
			strings.HasSuffix(a, ";"), strings.HasPrefix(a, ">"), strings.HasPrefix(a, "2>"), a == "<":
			l.errs.Warnf(at, "put the command into a file that begins with #!/bin/sh, or write /bin/sh -c '...'",
				"no shell is involved: `%s` is an ordinary argument of %s", a, argv[0])
			return
		}
	}
}

// splitCommand splits a command line; there is no shell, so blanks and quotes are
// all there is.
func splitCommand(s string) (argv []string, ok bool) {
	var b strings.Builder
	open := false // a word has begun
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\n', '\v', '\f', '\r':
			if open {
				argv = append(argv, b.String())
				b.Reset()
				open = false
			}
		case '\'', '"':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return nil, false
			}
			b.WriteString(s[i+1 : i+1+end])
			i += end + 1
			open = true
		default:
			b.WriteByte(c)
			open = true
		}
	}
	if open {
		argv = append(argv, b.String())
	}
	return argv, true
}

// asksForBalancer recognises the commands by which people ask whether HAProxy
// runs: `killall -0 haproxy`, `pidof haproxy`, `pgrep haproxy`. There is no
// process of that name here, so they are answered from inside (and unlike
// killall, which an unprivileged script user is not allowed to send a signal,
// the answer is right).
func asksForBalancer(argv []string) bool {
	program := path.Base(argv[0])
	if program != "killall" && program != "pidof" && program != "pgrep" {
		return false
	}
	signalZero := false
	var names []string
	for i := 1; i < len(argv); i++ {
		switch a := argv[i]; {
		case a == "-0" || a == "-s0" || a == "--signal=0":
			signalZero = true
		case (a == "-s" || a == "--signal") && program == "killall" && i+1 < len(argv):
			i++
			signalZero = signalZero || argv[i] == "0"
		case !strings.HasPrefix(a, "-"):
			names = append(names, path.Base(strings.TrimSuffix(strings.TrimPrefix(a, "^"), "$")))
		}
	}
	if program == "killall" && !signalZero || len(names) != 1 {
		return false // killall without -0 would kill
	}
	return names[0] == "haproxy" || names[0] == "baton"
}

// collectProbes keeps the probes that an instance tracks, in a stable order.
func (l *lowerer) collectProbes() {
	for _, d := range l.scriptOrder {
		if !l.isTracked[d.probe.Name] {
			l.errs.Warnf(d.name.Pos, "", "vrrp_script %s never runs: no vrrp_instance tracks it", d.probe.Name)
		}
	}
	for _, d := range l.trackerOrder {
		if !l.isTracked[d.probe.Name] {
			l.errs.Warnf(d.name.Pos, "", "%s %s is not looked at: no vrrp_instance tracks it", d.block, d.name.Text)
		}
	}
	for _, name := range l.tracked {
		if l.probes[name].Kind == checkscript.Interface && !l.config.tracks(name) {
			continue // only those that are on it would
		}
		l.config.Probes = append(l.config.Probes, *l.probes[name])
	}
}

// probeName is the name of an in-process probe, unique and telling in status:
// `track_backend web`, or `track_backend web in VI_2` when another instance asks
// something else of the same backend.
func (l *lowerer) probeName(keyword, name, instance string, p checkscript.Probe) string {
	same := func(q *checkscript.Probe) bool {
		return q.Kind == p.Kind && q.Interval == p.Interval && q.Timeout == p.Timeout && q.Rise == p.Rise && q.Fall == p.Fall &&
			q.InitFail == p.InitFail && q.Backend == p.Backend && q.MinServers == p.MinServers && q.Frontend == p.Frontend && q.URI == p.URI
	}
	candidate := keyword + " " + name
	for n := 1; ; n++ {
		q := l.probes[candidate]
		if q == nil || same(q) {
			return candidate
		}
		candidate = fmt.Sprintf("%s %s in %s", keyword, name, instance)
		if n > 1 {
			candidate += fmt.Sprintf(" (%d)", n)
		}
	}
}
