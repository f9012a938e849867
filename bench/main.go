// Command bench runs baton, haproxy and nginx side by side and prints what a request
// costs each of them, as medians and as ratios to haproxy.
//
// One thread of a proxy has one core for itself; the load (wrk) and the origin share
// the other. The proxies take turns, slice by slice, so that a change of the machine's
// speed meets all of them. Everything stays on loopback and ends by itself.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	slice := flag.Duration("time", 4*time.Second, "length of one measured slice")
	rounds := flag.Int("rounds", 3, "turns that each proxy gets per scenario")
	binary := flag.String("baton", "bin/baton", "the baton to measure")
	out := flag.String("o", "", "also write the results, as Markdown, to this file")
	drained := flag.String("drain", "", "only read log lines from a unix socket made at this path")
	only := flag.String("only", "", "the scenarios whose names contain this")
	flag.Parse()
	if *drained != "" {
		fmt.Fprintln(os.Stderr, "bench:", drain(*drained))
		os.Exit(1)
	}
	scenarios := slices.DeleteFunc(slices.Clone(scenarios), func(sc scenario) bool { return !strings.Contains(sc.name, *only) })
	if *slice < time.Second {
		*slice = time.Second // wrk counts in seconds
	}
	if err := run(*binary, scenarios, *slice, *rounds, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(binary string, scenarios []scenario, slice time.Duration, rounds int, out string) error {
	dir, err := os.MkdirTemp("", "baton-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err = filepath.Abs(binary)
	if err != nil {
		return err
	}
	stage, err := newStage(dir, binary)
	if err != nil {
		return err
	}
	defer stage.close()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		stage.close()
		os.RemoveAll(dir)
		os.Exit(1)
	}()

	results := make(map[string]map[string]*series) // scenario, proxy
	for _, sc := range scenarios {
		results[sc.name] = make(map[string]*series)
		for round := range rounds {
			for _, p := range stage.competitors(sc) {
				if sc.tcp && p.tcp == 0 {
					continue
				}
				s, err := stage.measure(p, sc, slice)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", sc.name, p.name, err)
				}
				if results[sc.name][p.name] == nil {
					results[sc.name][p.name] = new(series)
				}
				results[sc.name][p.name].add(s)
				fmt.Fprintf(os.Stderr, "\r%-34s round %d/%d  %-8s", sc.name, round+1, rounds, p.name)
			}
		}
	}
	fmt.Fprintf(os.Stderr, "\r%60s\r", "")
	text := report(stage, scenarios, results, slice, rounds)
	fmt.Print(text)
	if out == "" {
		return nil
	}
	return os.WriteFile(out, []byte(text), 0o644)
}
