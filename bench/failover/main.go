// Command failover puts pairs of nodes through faults and prints what a client sees
// of them, side by side: keepalived with haproxy, baton, and baton with its pair
// link, all with the same files.
//
// The nodes, a web server and a client have network namespaces of their own on one
// bridge. The client opens a new connection every millisecond and asks for a page
// through the virtual address; the longest time between two answers is the gap. Both
// nodes' kernels are watched for the address, and the client's neighbour entry is read.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	runs    int
	only    []string // names of rows; empty: all
	systems []string
	columns []string
	baton   string // the binary
	out     string
	every   time.Duration // between two requests of the client
	verbose bool
	keep    bool // the nodes' files and logs
}

func main() {
	runtime.LockOSThread() // see node.launch
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case clientVerb: // this program again, in the client's namespace
			exit(clientMain(os.Args[2:]))
		case checkVerb: // this program as a check script
			exit(checkMain(os.Args[2:]))
		}
	}
	var o options
	flag.IntVar(&o.runs, "runs", 10, "runs of each row")
	words := func(name string, into *[]string, all []string) {
		flag.Func(name, "some of "+strings.Join(all, ",")+" (default all)", func(s string) error {
			for w := range strings.SplitSeq(s, ",") {
				if !slices.Contains(all, w) {
					return fmt.Errorf("%q is none of %s", w, strings.Join(all, ", "))
				}
				*into = append(*into, w)
			}
			return nil
		})
	}
	words("only", &o.only, names(rows(), func(r row) string { return r.name }))
	words("systems", &o.systems, names(systems(), func(s system) string { return s.name }))
	words("columns", &o.columns, names(columns(), func(c column) string { return c.name }))
	flag.StringVar(&o.baton, "baton", "bin/baton", "the baton to measure")
	flag.StringVar(&o.out, "o", "", "also write the results, as Markdown, to this file")
	flag.DurationVar(&o.every, "every", time.Millisecond, "time between two requests of the client")
	flag.BoolVar(&o.verbose, "v", false, "print every run")
	flag.BoolVar(&o.keep, "keep", false, "leave the nodes' files and logs where they are, and say where")
	flag.Parse()
	exit(run(o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "failover:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func names[T any](list []T, name func(T) string) []string {
	var out []string
	for _, x := range list {
		out = append(out, name(x))
	}
	return out
}

// chosen reports whether a name is among those that were asked for.
func chosen(asked []string, name string) bool { return len(asked) == 0 || slices.Contains(asked, name) }

func run(o options) error {
	binary, err := filepath.Abs(o.baton)
	if err != nil {
		return err
	}
	st, err := newStage(binary, o)
	if err != nil {
		return err
	}
	defer st.close()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		st.close()
		os.Exit(1)
	}()

	res := newResults(o.runs)
	for _, c := range columns() {
		for _, sys := range systems() {
			if !chosen(o.columns, c.name) || !chosen(o.systems, sys.name) {
				continue
			}
			if err := measurePair(st, sys, c, o, res); err != nil {
				return fmt.Errorf("%s, %s: %w", sys.name, c.name, err)
			}
		}
	}
	text := report(res, o)
	fmt.Print(text)
	if o.out == "" {
		return nil
	}
	return os.WriteFile(o.out, []byte(text), 0o644)
}

// measurePair puts one system with one timing through the rows. A row leaves the pair as it found
// it; where it fails, a new pair is started for the next run, and the failure counts.
func measurePair(st *stage, sys system, c column, o options, res *results) error {
	var p *pair
	defer func() { p.end() }()
	for _, r := range rows() {
		if !chosen(o.only, r.name) || r.applies != nil && !r.applies(sys) {
			continue
		}
		if p != nil && p.checks != r.checks {
			p.end()
			p = nil
		}
		for n := range o.runs {
			if p == nil {
				var err error
				if p, err = startPair(st, sys, c, r.checks); err != nil {
					return err
				}
			}
			s, err := p.measure(r)
			res.add(r, sys, c, s, err)
			if o.verbose || err != nil {
				fmt.Fprintf(os.Stderr, "%-10s %-11s %-8s %2d/%d  %s\n", c.name, sys.name, r.name, n+1, o.runs, describe(s, err))
			}
			if err != nil {
				p.end()
				p = nil
			}
		}
	}
	return nil
}
