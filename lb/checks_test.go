package lb_test

import (
	"fmt"
	"io"
	"net"
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
//	check [tcp|http]      the lines of a backend with the server {s1}; shows the log line
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
				}
				d.Fatalf(t, "unknown command %s", d.Cmd)
				return ""
			})
		})
	}
}

const checkPreset = `
defaults
 mode %s
 timeout connect 5s
 timeout client 5s
 timeout server 5s
 default-server inter 300ms
frontend fe
 bind {fe}
 mode tcp
backend b
 log {log}
 option log-health-checks
`

func firstCheck(t *testing.T, d *datadriven.TestData, peers map[string]string) string {
	mode := "tcp"
	if len(d.CmdArgs) > 0 {
		mode = d.CmdArgs[0].Key
	}
	text := fmt.Sprintf(checkPreset, mode) + d.Input
	if !strings.Contains(text, "server s ") {
		text += "\nserver s {s1} check"
	}
	heard := make(chan string, 100)
	r := startPlayed(t, text, func(r *rig) {
		for name, ln := range r.origins {
			moves := peers[name]
			r.players.Go(func() { playPeer(r, ln, moves, heard) })
		}
	})
	line := r.nextLog()
	r.close()
	line = strings.TrimPrefix(line, "Health check for server b/s ")
	out := strings.ReplaceAll(line, ", check duration: <t>ms", "") + "\n"
	first := 0
	for first < 4 && len(heard) > 0 {
		out += "heard " + maskedPorts(<-heard) + "\n"
		first++
	}
	return out
}

// ports are those of PROXY headers and of send-state's.
var ports = regexp.MustCompile(`(127\.0\.0\.1 |port=|<port> )\d{4,5}\b`)

func maskedPorts(s string) string {
	s = ports.ReplaceAllString(s, "$1<port>")
	return node.ReplaceAllString(ports.ReplaceAllString(s, "$1<port>"), "node=<host>;")
}

var node = regexp.MustCompile(`node=[^;]*;`)

// playPeer serves the connections of one origin; what it hears is told of its first.
func playPeer(r *rig, ln *net.TCPListener, moves string, heard chan<- string) {
	for first := true; ; first = false {
		c, err := ln.AcceptTCP()
		if err != nil {
			return
		}
		tell := heard
		if !first {
			tell = nil
		}
		r.players.Go(func() {
			defer c.Close()
			playMoves(c, moves, tell)
		})
	}
}

func playMoves(c *net.TCPConn, moves string, heard chan<- string) {
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
