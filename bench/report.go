package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// report writes the results as Markdown that is readable as it is.
func report(st *stage, scenarios []scenario, results map[string]map[string]*series, slice time.Duration, rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmark of %s\n\n", time.Now().Format("2006-01-02 15:04 MST"))
	fmt.Fprintf(&b, "%s, %d cores, %s. ", cpuModel(), runtime.NumCPU(), kernel())
	fmt.Fprintf(&b, "One thread per proxy on one core; wrk and the origin (nginx) on the other.\n")
	fmt.Fprintf(&b, "Medians of %d slices of %v, the proxies in turns.\n\n", rounds, slice)
	for _, p := range st.proxies {
		fmt.Fprintf(&b, "- %s: %s\n", p.name, p.version)
	}
	b.WriteString("\nIn brackets: the ratio to haproxy. CPU is the proxy's user and system time.\n\n")
	row(&b, "scenario", "proxy", "CPU", "rate", "p99 ms", "RSS MB")
	row(&b, "---", "---", "---", "---", "---", "---")
	for _, sc := range scenarios {
		ref := results[sc.name]["haproxy"]
		for _, p := range st.competitors(sc) {
			s := results[sc.name][p.name]
			if s == nil {
				row(&b, sc.name, p.name, "not available", "", "", "")
				continue
			}
			cpu, rate := "%.2f us/req", "%.0f/s"
			if sc.bulk {
				cpu, rate = "%.0f ms/GB", "%.0f MB/s"
			}
			row(&b, sc.name, p.name, cell(cpu, s.cpu, ref.cpu), cell(rate, s.rate, ref.rate), cell("%.2f", s.p99, ref.p99), cell("%.1f", s.rss, ref.rss))
		}
	}
	b.WriteString("\nRSS when idle, before any load: ")
	for i, p := range st.proxies {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %.1f MB", p.name, float64(p.idleRSS)/1e6)
	}
	b.WriteString(".\n")
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	widths := [...]int{31, 7, 22, 20, 16, 15}
	for i, c := range cells {
		fmt.Fprintf(b, "| %-*s ", widths[i], c)
	}
	b.WriteString("|\n")
}

func cell(format string, v, ref []float64) string {
	return fmt.Sprintf(format+" (%.2f)", median(v), median(v)/median(ref))
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return "Linux " + strings.TrimSpace(string(b))
}
