package main

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"baton/bench/internal/bridge"
)

var (
	both    = []system{keepalived, baton}
	nodes   = [2]string{"a", "b"}
	fast    = setup{instances: 1, firstID: 51, advert: 10 * time.Millisecond}
	patient = 36 * time.Millisecond // after which a backup of priority 100 takes over, at 10 ms
)

// spacing is how the adverts of one router came.
type spacing struct {
	n       int
	sorted  []time.Duration
	changes int // of who sent them
}

// spacings takes one router's adverts out of a capture.
func spacings(frames []frame, id int) spacing {
	var s spacing
	var last time.Time
	var from byte
	for _, f := range frames {
		node, vrid, _, ok := f.advert()
		if !ok || int(vrid) != id {
			continue
		}
		s.n++
		if from != 0 {
			s.sorted = append(s.sorted, f.at.Sub(last))
			if node != from {
				s.changes++
			}
		}
		last, from = f.at, node
	}
	slices.Sort(s.sorted)
	return s
}

func (s spacing) quantile(q float64) time.Duration {
	if len(s.sorted) == 0 {
		return 0
	}
	return s.sorted[min(int(q*float64(len(s.sorted))), len(s.sorted)-1)]
}

func (s spacing) row(sys system) string {
	late, _ := slices.BinarySearch(s.sorted, patient)
	return fmt.Sprintf("| %s | %d | %.1f ms | %.1f ms | %.1f ms | %.1f ms | %d | %d |\n", sys, s.n, ms(s.quantile(0.5)), ms(s.quantile(0.99)),
		ms(s.quantile(0.999)), ms(s.quantile(1)), len(s.sorted)-late, s.changes)
}

const spacingHead = `
|  | adverts | median | p99 | p99.9 | longest | over 36 ms | changes of master |
| --- | --- | --- | --- | --- | --- | --- | --- |
`

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// load keeps a node's proxy busy on all cores, and looks at its adverts.
func load(st *stage, o options) (string, error) {
	web, err := st.net.ServePage("web", "10.77.0.60:8000")
	if err != nil {
		return "", err
	}
	defer web.Close()
	text := fmt.Sprintf("\n## 10 ms adverts beside full load\n\nwrk, 64 connections through the virtual address for %s, load and both nodes on the same cores.\n"+spacingHead, o.load)
	var rates []string
	for _, sys := range both {
		s, rate, err := underLoad(st, sys, o)
		if err != nil {
			return "", fmt.Errorf("%s: %w", sys, err)
		}
		text += s.row(sys)
		rates = append(rates, string(sys)+" "+rate)
	}
	return text + "\nRequests a second meanwhile: " + strings.Join(rates, ", ") + ".\n", nil
}

func underLoad(st *stage, sys system, o options) (s spacing, rate string, err error) {
	p, err := st.startPair(sys, fast, nodes)
	if err != nil {
		return s, "", err
	}
	defer p.end()
	c, err := st.capture()
	if err != nil {
		return s, "", err
	}
	wrk := st.net.Command("client", "wrk", "-t2", "-c64", fmt.Sprintf("-d%ds", int(o.load.Seconds())), "http://"+p.vip(0)+"/")
	// The virtual address is no neighbour by its network: say how it is reached.
	if err := bridge.IP("-n", st.net.NS("client"), "route", "replace", p.vip(0)+"/32", "dev", "eth0"); err != nil {
		return s, "", err
	}
	out, err := wrk.CombinedOutput()
	if err != nil {
		return s, "", fmt.Errorf("wrk: %w\n%s", err, out)
	}
	frames, err := c.stop()
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "Requests/sec:" {
			rate = f[1]
		}
	}
	return spacings(frames, fast.firstID), rate, err
}

// many counts what an advert costs the master.
func many(st *stage, o options) (string, error) {
	text := "\n## Many instances\n\nThe master's processes, with haproxy beside keepalived; memory is the proportional set size.\n\n" +
		"|  | instances | adverts a second | CPU | CPU an advert | memory | adverts of the backup |\n| --- | --- | --- | --- | --- | --- | --- |\n"
	for _, set := range []setup{{500, 1, time.Second}, {200, 1, time.Second}, {20, 1, 10 * time.Millisecond}} {
		for _, sys := range both {
			row, err := cost(st, sys, set, o)
			if err != nil {
				return "", fmt.Errorf("%d instances, %s: %w", set.instances, sys, err)
			}
			text += row
		}
	}
	return text, nil
}

func cost(st *stage, sys system, set setup, o options) (string, error) {
	p, err := st.startPair(sys, set, nodes)
	if err != nil {
		return "", err
	}
	defer p.end()
	time.Sleep(8 * time.Second) // the second round of announcements is over
	c, err := st.capture()
	if err != nil {
		return "", err
	}
	before, from := p.cpu(0), time.Now()
	time.Sleep(o.count)
	spent, took := p.cpu(0)-before, time.Since(from)
	memory := p.memory(0)
	frames, err := c.stop()
	if err != nil {
		return "", err
	}
	mine, theirs := 0, 0
	for _, f := range frames {
		switch node, _, _, ok := f.advert(); {
		case ok && node == lastByte["a"]:
			mine++
		case ok:
			theirs++
		}
	}
	if mine == 0 {
		return "", errors.New("no advert was captured")
	}
	return fmt.Sprintf("| %s | %d at %s | %.0f | %.2f %% | %.1f us | %.1f MB | %d |\n", sys, set.instances, set.advert, float64(mine)/took.Seconds(),
		100*spent.Seconds()/took.Seconds(), spent.Seconds()*1e6/float64(mine), memory, theirs), nil
}

// exodus kills the master of 200 instances.
func exodus(st *stage, _ options) (string, error) {
	text := "\n## The master of 200 instances dies\n\nv3, 100 ms. From the first address that the other node announces to the last one's first announcement.\n\n" +
		"|  | announced | spread | spread of the first adverts | addresses held |\n| --- | --- | --- | --- | --- |\n"
	for _, sys := range both {
		for range 3 {
			row, err := orphaned(st, sys)
			if err != nil {
				return "", fmt.Errorf("%s: %w", sys, err)
			}
			text += row
		}
	}
	return text, nil
}

func orphaned(st *stage, sys system) (string, error) {
	set := setup{instances: 200, firstID: 1, advert: 100 * time.Millisecond}
	p, err := st.startPair(sys, set, nodes)
	if err != nil {
		return "", err
	}
	defer p.end()
	time.Sleep(8 * time.Second)
	c, err := st.capture()
	if err != nil {
		return "", err
	}
	died := time.Now()
	p.kill(0)
	time.Sleep(4 * time.Second)
	held := p.held(1)
	frames, err := c.stop()
	if err != nil {
		return "", err
	}
	claimed, announced := firsts[byte]{}, firsts[netip.Addr]{}
	for _, f := range frames {
		if !f.at.After(died) {
			continue
		}
		if node, id, _, ok := f.advert(); ok && node == lastByte["b"] {
			claimed.note(id, f.at)
		}
		if a, ok := f.announces(); ok && a.As4()[1] == 78 {
			announced.note(a, f.at)
		}
	}
	return fmt.Sprintf("| %s | %d of %d | %.0f ms | %.0f ms | %d |\n", sys, len(announced), set.instances, ms(announced.spread()), ms(claimed.spread()), held), nil
}

// firsts is when each of several things was first seen.
type firsts[K comparable] map[K]time.Time

func (m firsts[K]) note(k K, at time.Time) {
	if _, seen := m[k]; !seen {
		m[k] = at
	}
}

// spread is from the earliest to the latest.
func (m firsts[K]) spread() time.Duration {
	if len(m) == 0 {
		return 0
	}
	all := slices.SortedFunc(maps.Values(m), time.Time.Compare)
	return all[len(all)-1].Sub(all[0])
}

// soak lets both systems advertise at the same time, beside other work, for minutes.
func soak(st *stage, o options) (string, error) {
	work, err := otherWork(st)
	if err != nil {
		return "", err
	}
	defer func() {
		for _, cmd := range work {
			bridge.End(cmd)
		}
	}()
	pairs := map[system]*pair{}
	for i, sys := range both {
		set := fast
		set.firstID += i
		p, err := st.startPair(sys, set, [][2]string{{"a", "b"}, {"c", "d"}}[i])
		if err != nil {
			return "", fmt.Errorf("%s: %w", sys, err)
		}
		defer p.end()
		pairs[sys] = p
	}
	c, err := st.capture()
	if err != nil {
		return "", err
	}
	time.Sleep(o.soak)
	frames, err := c.stop()
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("\n## %s of 10 ms adverts on a busy host\n\nBoth pairs at once, beside %d processes that only compute and one that writes to the disk.\n"+spacingHead, o.soak, len(work)-1)
	for _, sys := range both {
		text += spacings(frames, pairs[sys].set.firstID).row(sys)
	}
	return text, nil
}

// otherWork keeps every core busy, and a disk.
func otherWork(st *stage) ([]*exec.Cmd, error) {
	var all []*exec.Cmd
	start := func(script string) error {
		cmd := exec.Command("sh", "-c", script)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			return err
		}
		st.running, all = append(st.running, cmd), append(all, cmd)
		return nil
	}
	for range runtime.NumCPU() {
		if err := start("while :; do :; done"); err != nil {
			return nil, err
		}
	}
	return all, start("while :; do dd if=/dev/zero of=" + filepath.Join(st.dir, "work") + " bs=1M count=64 conv=fsync status=none; done")
}
