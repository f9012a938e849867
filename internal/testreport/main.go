// Command testreport reads `go test -json` on its standard input and prints what
// a person wants from it: one line per package, the output of what failed, and
// nothing of what passed. Skipped tests go, with their reason, to the file named
// by -skips, for the end of the run. It exits 1 when anything failed.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is one line of `go test -json` (go doc test2json). Build output comes
// with ImportPath instead of Package.
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

func main() {
	skips := flag.String("skips", "", "append skipped tests to this file")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *skips); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, skipsName string) error {
	r := report{out: out, output: map[string][]string{}}
	lines := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read test output: %w", err)
		}
	}
	if skipsName != "" && len(r.skips) > 0 {
		f, err := os.OpenFile(skipsName, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(f, strings.Join(r.skips, "")); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	if r.failed > 0 {
		return fmt.Errorf("%d packages or tests failed", r.failed)
	}
	if r.packages == 0 {
		return fmt.Errorf("no package was tested")
	}
	return nil
}

type report struct {
	out      io.Writer
	output   map[string][]string // by package and test, until its verdict
	skips    []string
	packages int
	failed   int
}

func (r *report) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		// Not JSON: the go command itself speaks, and only about trouble.
		fmt.Fprint(r.out, line)
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "build-fail":
		r.failed++
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "pass":
		delete(r.output, key)
		if e.Test == "" {
			r.packages++
			fmt.Fprintf(r.out, "   ok    %-32s %6.1f s\n", e.Package, e.Elapsed)
		}
	case "skip":
		if e.Test == "" { // no test files
			r.packages++
			break
		}
		r.skips = append(r.skips, fmt.Sprintf("   %s %s: %s\n", e.Package, e.Test, reason(r.output[key])))
		delete(r.output, key)
	case "fail":
		r.failed++
		fmt.Fprint(r.out, strings.Join(r.output[key], ""))
		delete(r.output, key)
		if e.Test == "" {
			r.packages++
			fmt.Fprintf(r.out, "   FAIL  %-32s %6.1f s\n", e.Package, e.Elapsed)
		}
	}
}

// reason is what a skipped test said: its output without go test's own lines
// and without the file:line in front.
func reason(output []string) string {
	for _, s := range output {
		s = strings.TrimSpace(s)
		if file, text, ok := strings.Cut(s, ": "); ok && strings.Contains(file, ".go:") {
			s = text
		}
		// A test that ran itself in a child may tell with the child's lines.
		if s == "" || strings.HasPrefix(s, "===") || strings.HasPrefix(s, "---") {
			continue
		}
		return s
	}
	return "no reason given"
}
