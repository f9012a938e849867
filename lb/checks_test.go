package lb_test

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestChecks runs the files in testdata/checks: what the first check of a server comes
// to, as `option log-health-checks` tells it.
//
//	peer [s1|port2|...]   what an origin does with each connection, a move a line:
//	                      say "BYTES", hear [N] (one read or N bytes, shown), swallow (one, not
//	                      shown), hold (until the other side ends); then it closes
//	                      "next" begins what the next connection gets; the last goes on
//	check [tcp|http]      the lines of a backend with the server {s1}; shows the log line
//	lines [tcp|http] n=N [ask=M]   the same, shows N log lines; after the first M
//	                      requests go through the frontend
//
// The lines are HAProxy 2.6's: LB_TEST_HAPROXY=FOLDER plays a folder of such files to the
// haproxy of this host.
func TestChecks(t *testing.T) {
	dir := "testdata/checks"
	if againstHAProxy != "" {
		dir = againstHAProxy
	}
	files, err := filepath.Glob(dir + "/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			peers := make(map[string]string)
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				name := "s1"
				if len(d.CmdArgs) > 0 {
					name = d.CmdArgs[0].Key
				}
				switch d.Cmd {
				case "peer":
					peers[name] = d.Input
					return ""
				case "check":
					return firstCheck(t, d, peers)
				case "lines":
					return checkLines(t, d, peers)
				}
				d.Fatalf(t, "unknown command %s", d.Cmd)
				return ""
			})
		})
	}
}

const checkPreset = `
global
 external-check
 insecure-fork-wanted
defaults
 mode %s
 timeout connect 5s
 timeout client 5s
 timeout server 5s
 default-server inter 500ms
%s
frontend fe
 bind {fe}
 default_backend b
backend b
 log {log}
 option log-health-checks
`

func firstCheck(t *testing.T, d *datadriven.TestData, peers map[string]string) string {
	heard := make(chan string, 100)
	r := startChecked(t, d, peers, heard)
	line := r.nextLog()
	r.close()
	out := shortened(line)
	for i := 0; i < 4 && len(heard) > 0; i++ {
		out += "heard " + maskedPorts(<-heard) + "\n"
	}
	return out
}

func checkLines(t *testing.T, d *datadriven.TestData, peers map[string]string) string {
	n, ask := 0, 0
	d.ScanArgs(t, "n", &n)
	d.MaybeScanArgs(t, "ask", &ask)
	r := startChecked(t, d, peers, nil)
	out := shortened(r.nextLog())
	for range ask {
		c := r.client("fe")
		c.send("GET /x HTTP/1.0\r\n\r\n")
		_, _ = io.ReadAll(c)
		c.Close()
	}
	for range n - 1 {
		out += shortened(r.nextLog())
	}
	r.close()
	return out
}

func shortened(line string) string {
	line = strings.TrimPrefix(line, "Health check for server b/s ")
	line = strings.ReplaceAll(line, ", check duration: <t>ms", "")
	return sessions.ReplaceAllString(line, "<n> sessions active") + "\n"
}

// sessions are counted while those that met the errors end.
var sessions = regexp.MustCompile(`\d+ sessions active`)

// startChecked starts the peers, and then the balancer with the lines of a backend.
func startChecked(t *testing.T, d *datadriven.TestData, peers map[string]string, heard chan<- string) *rig {
	mode := "tcp"
	if len(d.CmdArgs) > 0 && d.CmdArgs[0].Key != "n" {
		mode = d.CmdArgs[0].Key
	}
	// A peer that holds its connection lets a check wait for the end of its interval; no
	// other one is to be told by it, however busy the host.
	timeout := " timeout check 20s"
	for _, moves := range peers {
		if strings.Contains(moves, "hold") {
			timeout = ""
		}
	}
	text := fmt.Sprintf(checkPreset, mode, timeout) + d.Input
	if !strings.Contains(text, "server s ") {
		text += "\nserver s {s1} check"
	}
	return startPlayed(t, text, func(r *rig) {
		for name, ln := range r.origins {
			moves := peers[name]
			r.players.Go(func() { playPeer(r, ln, moves, heard) })
		}
	})
}

// ports are those of PROXY headers and of send-state's.
var ports = regexp.MustCompile(`(127\.0\.0\.1 |port=|<port> )\d{4,5}\b`)

func maskedPorts(s string) string {
	s = ports.ReplaceAllString(s, "$1<port>")
	return node.ReplaceAllString(ports.ReplaceAllString(s, "$1<port>"), "node=<host>;")
}

var node = regexp.MustCompile(`node=[^;]*;`)

// playPeer serves the connections of one origin; what it hears is told of its first.
func playPeer(r *rig, ln origin, moves string, heard chan<- string) {
	turns := strings.Split(moves, "next\n")
	for turn := 0; ; turn++ {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		now, tell := turns[min(turn, len(turns)-1)], heard
		if turn > 0 {
			tell = nil
		}
		r.players.Go(func() {
			defer c.Close()
			playMoves(c.(stream), now, tell)
		})
	}
}

func playMoves(c stream, moves string, heard chan<- string) {
	buf := make([]byte, 65536)
	for move := range strings.Lines(moves) {
		verb, text, _ := strings.Cut(strings.TrimSpace(move), " ")
		switch verb {
		case "say":
			b, err := strconv.Unquote(text)
			if err != nil {
				panic("BUG: " + move)
			}
			if _, err := c.Write([]byte(b)); err != nil {
				return
			}
		case "hear", "swallow":
			n, err := 0, error(nil)
			if want, _ := strconv.Atoi(text); want > 0 {
				n, err = io.ReadFull(c, buf[:want])
			} else {
				n, err = c.Read(buf)
			}
			if err != nil {
				return
			}
			if heard != nil && verb == "hear" {
				heard <- strconv.Quote(string(buf[:n]))
			}
		case "hold":
			for {
				if _, err := c.Read(buf); err != nil {
					return
				}
			}
		}
	}
}
