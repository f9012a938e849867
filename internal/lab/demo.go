package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// demo tells the story. One goroutine, the director's, plays the acts and takes
// in everything that happens from one channel; the others only watch and report.
type demo struct {
	*Lab
	ctx    context.Context
	screen *screen
	start  time.Time
	events chan any // change, []byte (a line of the client's), logLine, ended

	running  map[string]*process // by host
	expected map[string]bool     // hosts whose process may end now
	cause    cause
	timeline timeline
	tenure   tenure
	traffic  *traffic
	noticed  map[string]string // "lb1 web2": UP or DOWN, as that node sees it
	broken   error             // something ended that must not
	moves    moves
}

// cause is what the demo did last: what happens then is told relative to it.
type cause struct {
	at   time.Duration
	name string // "the kill"; empty: nothing yet
}

// logLine is a line of a node's own log.
type logLine struct {
	node string
	text string
	at   time.Time
}

// ended says that a process has ended.
type ended struct{ *process }

// Demo builds a lab, plays the acts in it with the timeline on out, and takes the
// lab away, whatever happens. The error says what did not work as it should;
// Interrupted tells an interruption by ctx from that.
func (l *Lab) Demo(ctx context.Context, out *os.File) (err error) {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.clear(out); err != nil {
		return err
	}
	// The children are to die with this process, and Pdeathsig goes by the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	ctx, cancel := context.WithCancel(ctx)
	d := &demo{
		Lab: l, ctx: ctx, screen: newScreen(out), start: time.Now(), events: make(chan any, 4096),
		running: make(map[string]*process), expected: make(map[string]bool),
		traffic: newTraffic(), noticed: make(map[string]string),
	}
	defer func() {
		cancel() // the watchers must not mourn what is taken away now
		if removal := d.cleanUp(); err != nil || removal != nil {
			err = afterwards(err, removal)
		} else {
			d.screen.print("\nEverything is taken away again. The same pair to play with: " + d.verb("up") + "\n")
			err = d.screen.err
		}
	}()
	if err := d.setUp(); err != nil {
		return err
	}
	err = d.play()
	d.flush(d.now())
	if err != nil {
		return err
	}
	d.summarize()
	return nil
}

func (d *demo) now() time.Duration { return time.Since(d.start) }

func (d *demo) setUp() error {
	d.screen.print(d.screen.paint(bold, "baton lab demo") + ": two nodes, three web servers and a client, each in a network namespace\n")
	if err := d.build(); err != nil {
		return err
	}
	if err := d.writeFiles(); err != nil {
		return err
	}
	for _, n := range nodes() {
		d.screen.print(fmt.Sprintf("   %-7s %-12s baton run -f haproxy.cfg -f keepalived.conf   in %s\n", n.name, n.addr, d.path(n.name)))
	}
	d.screen.print(fmt.Sprintf("   %-7s %-12s %d requests a second to http://%s/, half of them on new connections\n",
		"client", "192.0.2.50", 2*time.Second/requestEvery, vip))
	d.screen.print(fmt.Sprintf("   look for yourself meanwhile: `ip netns exec %s ip addr` or `%s`\n", d.namespace("lb1"), d.verb("status")))

	changes, err := d.watchNodes(d.ctx)
	if err != nil {
		return err
	}
	go func() {
		for {
			select {
			case c := <-changes:
				d.report(c)
			case <-d.ctx.Done():
				return
			}
		}
	}()
	return nil
}

// report hands an event to the director.
func (d *demo) report(ev any) {
	select {
	case d.events <- ev:
	case <-d.ctx.Done():
	}
}

// cleanUp ends the children, reaps them and takes the lab away.
func (d *demo) cleanUp() error {
	for _, p := range d.running {
		p.kill()
	}
	d.screen.print("") // no passing line stays behind
	return d.remove()
}

// startHost starts what makes a host what it is.
func (d *demo) startHost(h host) error {
	var p *process
	var err error
	switch h.role {
	case node:
		p, err = d.startNode(h, bound, &lineWriter{tell: func(line string) { d.report(logLine{h.name, line, time.Now()}) }})
	case web, names:
		p, err = d.startServer(h, bound)
	case client:
		cmd := d.command(h.name, bound, "lab", "client", vip+":80")
		cmd.Stdout = &lineWriter{tell: func(line string) { d.report([]byte(line)) }}
		p, err = d.launch(h.name, cmd, nil)
	}
	if err != nil {
		return err
	}
	d.running[h.name] = p
	d.expected[h.name] = false
	go func() {
		<-p.done
		d.report(ended{p})
	}()
	return nil
}

// stop signals a process of the lab and expects it to end.
func (d *demo) stop(name string, sig syscall.Signal) error {
	d.expected[name] = true
	if err := d.running[name].cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("signal %s: %w", name, err)
	}
	return nil
}

// lineWriter calls tell with each line that is written to it.
type lineWriter struct {
	tell func(line string)
	rest []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		w.tell(string(line))
		w.rest = rest
	}
}

// await takes events in until cond holds. When it does not within patience, the
// error says what was awaited.
func (d *demo) await(what string, cond func() bool) error {
	ok, err := d.until(patience, cond)
	if err == nil && !ok {
		err = fmt.Errorf("this did not happen within %v: %s", patience, what)
	}
	return err
}

// watch takes events in for a time.
func (d *demo) watch(time time.Duration) error {
	_, err := d.until(time, func() bool { return false })
	return err
}

func (d *demo) until(limit time.Duration, cond func() bool) (bool, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	refresh := time.NewTicker(100 * time.Millisecond)
	defer refresh.Stop()
	for !cond() {
		select {
		case ev := <-d.events:
			d.apply(ev)
		case <-refresh.C:
			d.flush(d.now() - lag)
			d.screen.pass(d.passing())
		case <-timer.C:
			return false, nil
		case <-d.ctx.Done():
			return false, d.ctx.Err()
		}
		if err := errors.Join(d.broken, d.screen.err); err != nil {
			return false, err
		}
	}
	return true, nil
}

// flush shows the timeline up to a time.
func (d *demo) flush(upTo time.Duration) {
	for _, e := range d.timeline.take(upTo) {
		d.screen.print(d.screen.line(e))
	}
}

// passing is the line that stands below the timeline until something happens.
func (d *demo) passing() string {
	var holders []string
	for _, n := range nodes() {
		if d.tenure.holds(n.name) {
			holders = append(holders, n.name)
		}
	}
	if holders == nil {
		holders = []string{"nobody"}
	}
	text := fmt.Sprintf("%8.1f  %s: %s", d.now().Seconds(), vip, strings.Join(holders, " and "))
	if d.traffic.silent {
		text += ", no answer for " + ms((d.now() - d.traffic.lastAny).Round(100*time.Millisecond))
	} else if n, _ := tally(d.traffic.answered); n > 0 {
		text += ", " + count(n) + " requests answered"
	}
	return text
}

func (d *demo) tell(at time.Duration, who, text string, tone tone) {
	d.timeline.add(entry{at, who, text, tone})
}

// apply takes one event in.
func (d *demo) apply(ev any) {
	switch ev := ev.(type) {
	case change:
		d.applyChange(ev)
	case []byte:
		d.applyResult(ev)
	case logLine:
		d.applyLog(ev)
	case ended:
		if !d.expected[ev.host] {
			d.broken = ev.failed(fmt.Errorf("%s has ended unexpectedly (%v)", ev.host, ev.cmd.ProcessState))
		}
	}
}

// since says how long after the cause something happened.
func (d *demo) since(at time.Duration) string {
	if d.cause.name == "" {
		return ""
	}
	return ", " + ms(at-d.cause.at) + " after " + d.cause.name
}

func (d *demo) applyChange(c change) {
	if c.err != nil {
		d.broken = c.err
		return
	}
	at := c.at.Sub(d.start)
	switch {
	case c.held:
		d.tenure.gained(c.node, at)
		d.tell(at, c.node, "holds "+vip+d.since(at), goodTone)
	case d.expected[c.node] && d.cause.name == killed:
		d.tenure.lost(c.node, at)
		d.tell(at, c.node, "its kernel lets "+vip+" go: the lease ended"+d.since(at), goodTone)
	default:
		d.tenure.lost(c.node, at)
		d.tell(at, c.node, "gives "+vip+" up"+d.since(at), plainTone)
	}
}

func (d *demo) applyResult(line []byte) {
	var r Result
	if err := json.Unmarshal(line, &r); err != nil {
		d.broken = fmt.Errorf("the client said %q: %w", line, err)
		return
	}
	at := func(ns int64) time.Duration { return time.Unix(0, ns).Sub(d.start) }
	var tell []entry
	if r.Stream == clockLine {
		tell = d.traffic.clock(at(r.Done))
	} else {
		tell = d.traffic.add(answer{stream: r.Stream, sent: at(r.Sent), done: at(r.Done), web: r.Web, err: r.Err})
	}
	for _, e := range tell {
		d.timeline.add(e)
	}
}

// applyLog notices what a node says about the web servers, as HAProxy would:
// "Server web/web2 is DOWN, reason: ...".
func (d *demo) applyLog(l logLine) {
	_, text, ok := strings.Cut(l.text, "Server web/")
	if !ok {
		return
	}
	server, text, ok := strings.Cut(text, " is ")
	if !ok {
		return
	}
	state, _, _ := strings.Cut(text, ",")
	state, _, _ = strings.Cut(state, ".")
	d.noticed[l.node+" "+server] = state
	at := l.at.Sub(d.start)
	d.tell(at, l.node, "finds "+server+" "+state+d.since(at), plainTone)
}
