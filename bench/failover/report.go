package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// key is a place in the table.
type key struct{ row, system, column string }

// results are the samples of all places.
type results struct {
	runs    int
	load    string // of the host before the first run
	samples map[key][]sample
	failed  map[key]int // runs after which the pair was not as it should be
}

func newResults(runs int) *results {
	return &results{runs: runs, load: load(), samples: make(map[key][]sample), failed: make(map[key]int)}
}

// add takes a run. One that failed counts as such, and with what it showed if it showed anything.
func (r *results) add(row row, sys system, c column, s sample, err error) {
	k := key{row.name, sys.name, c.name}
	if err != nil {
		r.failed[k]++
	}
	if err == nil || s.gap > 0 {
		r.samples[k] = append(r.samples[k], s)
	}
}

func describe(s sample, err error) string {
	text := fmt.Sprintf("gap %s ms, both %s ms, held %s ms, right %v", ms(s.gap), ms(s.both), ms(s.held), s.right)
	if err != nil {
		text += ", FAILED: " + err.Error()
	}
	return text
}

// ms shows milliseconds with the precision that they have.
func ms(d time.Duration) string {
	if f := float64(d) / 1e6; f < 20 {
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%d", d.Milliseconds())
}

// report writes the table as Markdown that is readable as it is.
func report(r *results, o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Failover of %s\n\n", time.Now().Format("2006-01-02 15:04 MST"))
	fmt.Fprintf(&b, "%s, %d cores, Linux %s. %s; %s; %s.\n\n", cpuModel(), runtime.NumCPU(), firstLine("uname", "-r"),
		firstLine("keepalived", "--version"), firstLine("haproxy", "-v"), firstLine(o.baton, "version"))
	var titles []string
	for _, c := range columns() {
		if chosen(o.columns, c.name) {
			titles = append(titles, c.title)
		}
	}
	fmt.Fprintf(&b, "Milliseconds: medians of %d runs, the worst in brackets; in each cell %s. The client asks every %v on a new connection;\n", r.runs, strings.Join(titles, " / "), o.every)
	b.WriteString("its gap is the longest time between two answers. The nodes have the same files; what all of them do when nothing happens is the first row.\n")
	fmt.Fprintf(&b, "Other work on the host counts as a fault of its own: the load average was %s before the first run.\n\n", r.load)
	var shown []system
	heads, rules := []string{"fault", "figure"}, []string{"---", "---"}
	for _, s := range systems() {
		if chosen(o.systems, s.name) {
			shown = append(shown, s)
			heads, rules = append(heads, s.title), append(rules, "---")
		}
	}
	line := func(cells ...string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(heads...)
	line(rules...)
	for _, row := range rows() {
		if !chosen(o.only, row.name) {
			continue
		}
		for _, f := range row.figures() {
			cells := []string{row.title, f.title}
			for _, s := range shown {
				cells = append(cells, r.cell(row, s, o, f))
			}
			line(cells...)
		}
	}
	return b.String()
}

// shownFigure is a line of the table.
type shownFigure struct {
	title string
	of    func(sample) time.Duration // nil: how often the client believes the right node
	limit time.Duration              // what reaches it may be more
}

func (r row) figures() []shownFigure {
	list := []shownFigure{{title: "the client's gap", of: func(s sample) time.Duration { return s.gap }}}
	switch r.figure {
	case twoOwners:
		list = append(list, shownFigure{title: "both kernels hold the address", of: func(s sample) time.Duration { return s.both }})
	case orphan:
		list = append(list, shownFigure{title: "the dead node's kernel holds it", of: func(s sample) time.Duration { return s.held }, limit: orphanLimit})
	}
	return append(list, shownFigure{title: "the client believes the right node"})
}

func (r *results) cell(row row, s system, o options, f shownFigure) string {
	var cells []string
	for _, c := range columns() {
		if chosen(o.columns, c.name) {
			k := key{row.name, s.name, c.name}
			cells = append(cells, f.show(r.samples[k], r.failed[k]))
		}
	}
	if text := strings.Join(cells, " / "); strings.Trim(text, "- /") != "" {
		return text
	}
	return "-"
}

// show is one figure of one place in the table.
func (f shownFigure) show(samples []sample, failed int) string {
	if len(samples) == 0 {
		return "-"
	}
	if f.of == nil {
		right := 0
		for _, s := range samples {
			if s.right {
				right++
			}
		}
		text := fmt.Sprintf("%d of %d", right, len(samples))
		if failed > 0 {
			text += fmt.Sprintf(" (%d not settled)", failed)
		}
		return text
	}
	var list []time.Duration
	for _, s := range samples {
		list = append(list, f.of(s))
	}
	show := func(d time.Duration) string {
		if f.limit > 0 && d >= f.limit {
			return ">" + ms(f.limit)
		}
		return ms(d)
	}
	return fmt.Sprintf("%s (%s)", show(median(list)), show(slices.Max(list)))
}

func firstLine(argv ...string) string {
	out, _ := exec.Command(argv[0], argv[1:]...).CombinedOutput() // an unknown version is no reason to stop
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return string(bytes.TrimSpace(line))
}

func load() string {
	text, _ := os.ReadFile("/proc/loadavg") // no reason to stop, either
	first, _, _ := bytes.Cut(text, []byte(" "))
	return string(first)
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // likewise
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}
