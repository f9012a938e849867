package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// family lists a node's processes, children included.
func (p *pair) family(i int) []string {
	var pids []string
	for _, cmd := range p.procs[i] {
		pids = append(pids, strconv.Itoa(cmd.Process.Pid))
	}
	for n := 0; n < len(pids); n++ {
		files, _ := filepath.Glob("/proc/" + pids[n] + "/task/*/children")
		for _, f := range files {
			b, _ := os.ReadFile(f) // gone is none
			pids = append(pids, strings.Fields(string(b))...)
		}
	}
	return pids
}

// cpu is the processor time that a node's processes have used.
func (p *pair) cpu(i int) time.Duration {
	var sum int64
	for _, pid := range p.family(i) {
		files, _ := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
		for _, f := range files {
			b, _ := os.ReadFile(f)
			if fields := strings.Fields(string(b)); len(fields) > 0 {
				n, _ := strconv.ParseInt(fields[0], 10, 64) // the kernel writes numbers
				sum += n
			}
		}
	}
	return time.Duration(sum)
}

// memory is what a node's processes hold, in MB; pages that several share count once (PSS).
func (p *pair) memory(i int) float64 {
	var kb int64
	for _, pid := range p.family(i) {
		b, _ := os.ReadFile("/proc/" + pid + "/smaps_rollup")
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
				n, _ := strconv.ParseInt(f[1], 10, 64)
				kb += n
			}
		}
	}
	return float64(kb) / 1000
}
