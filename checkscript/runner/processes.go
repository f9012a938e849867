package runner

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"baton/checkscript"
	"baton/internal/mono"
	"baton/internal/sys"
)

const (
	// lookAgain is how often /proc is read where the kernel tells no process events.
	lookAgain = 500 * time.Millisecond

	processRetry = time.Second
)

// processes counts the processes that the track_process probes ask for. The
// kernel tells of every process that starts, changes its name or ends; only at the
// beginning all of /proc is read. It belongs to one goroutine.
type processes struct {
	probes   []*probe
	cmdline  bool // some probe looks at command lines
	matching []map[int]bool
}

func newProcesses(all []*probe) *processes {
	t := &processes{}
	for _, p := range all {
		if p.Kind == checkscript.Process {
			t.probes = append(t.probes, p)
			t.cmdline = t.cmdline || p.Match.CommandLine
			t.matching = append(t.matching, nil)
		}
	}
	return t
}

// follow works until ctx ends.
func (t *processes) follow(ctx context.Context) {
	if len(t.probes) == 0 {
		return
	}
	log := t.probes[0].runner.opt.Log
	told := false
	for ctx.Err() == nil {
		events, err := sys.OpenProcEvents()
		pause := processRetry
		if err != nil {
			// In a container there is no other way.
			if !told {
				log.Warn(fmt.Sprintf("track_process: no process events of the kernel (%v); reading /proc every %v instead", err, lookAgain))
			}
			told, pause = true, lookAgain
			t.scan()
			t.publish()
		} else if err := t.listen(ctx, events); err != nil {
			log.Warn(fmt.Sprintf("track_process: %v; subscribing again", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// listen follows the events, after a look at everything.
func (t *processes) listen(ctx context.Context, events *sys.ProcEvents) error {
	stop := context.AfterFunc(ctx, events.Close)
	defer func() {
		if stop() {
			events.Close()
		}
	}()
	t.scan()
	for {
		t.publish()
		e, err := events.Next()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("read process events: %w", err)
		case e.Kind == sys.ProcLost:
			t.scan()
		case e.Kind == sys.ProcEnded:
			for _, m := range t.matching {
				delete(m, e.PID)
			}
		default:
			t.look(e.PID)
		}
	}
}

// scan looks at all processes.
func (t *processes) scan() {
	for i := range t.matching {
		t.matching[i] = make(map[int]bool)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return // without /proc there are no processes to see
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && !zombie(pid) {
			t.look(pid)
		}
	}
}

// look sees which probes a process counts for. One that has ended counts for none.
func (t *processes) look(pid int) {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	var argv []string
	if err == nil && t.cmdline {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if line = bytes.TrimRight(line, "\x00"); len(line) > 0 {
			argv = strings.Split(string(line), "\x00")
		}
	}
	for i, p := range t.probes {
		if err == nil && p.Match.Matches(strings.TrimSuffix(string(comm), "\n"), argv) {
			t.matching[i][pid] = true
		} else {
			delete(t.matching[i], pid)
		}
	}
}

// zombie reports whether a process has ended and waits for its parent only.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	// pid (comm) state ..., and comm may hold anything.
	_, rest, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	return len(rest) > 0 && (rest[0] == 'Z' || rest[0] == 'X')
}

// publish tells the probes their counts.
func (t *processes) publish() {
	for i, p := range t.probes {
		if n := int64(len(t.matching[i])) + 1; p.count.Swap(n) != n {
			p.wake()
		}
	}
}

// followProcess is the life of a track_process probe: a count that is right, or
// wrong, for as long as its delay becomes the verdict.
func (p *probe) followProcess(ctx context.Context) {
	timer := time.NewTimer(0)
	timer.Stop()
	defer timer.Stop()
	waiting := false
	for {
		due := false
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		case <-timer.C:
			due = true
		}
		n := int(p.count.Load()) - 1
		v := checkscript.Down
		if n >= p.Quorum && (p.QuorumMax < 0 || n <= p.QuorumMax) {
			v = checkscript.Up
		}
		old := p.status.Load().Verdict
		delay := p.ForkDelay
		if v == checkscript.Down {
			delay = p.TerminateDelay
		}
		switch {
		case v == old:
			timer.Stop()
			waiting = false
		case old == checkscript.Pending || delay == 0 || due:
			timer.Stop()
			waiting = false
		case !waiting:
			timer.Reset(delay)
			waiting = true
			continue
		default:
			continue
		}
		res := result{ok: v == checkscript.Up, text: fmt.Sprintf("%d processes match, %s", n, p.wanted())}
		p.store(mono.Now(), 0, res, v, 0, 1, v != old)
	}
}

// wanted says how many must match.
func (p *probe) wanted() string {
	if p.QuorumMax < 0 {
		return fmt.Sprintf("%d needed", p.Quorum)
	}
	return fmt.Sprintf("%d to %d wanted", p.Quorum, p.QuorumMax)
}
