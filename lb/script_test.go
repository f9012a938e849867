package lb_test

import (
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts plays the files in testdata/scripts. Each starts a balancer and plays
// its clients and servers:
//
//	start [http|tcp]           the configuration, with the names of rig; preset goes
//	                           before it
//	client NAME [fe=fe] [from=IP] [reset]   connects; one of that name closes first; reset: it is reset at once
//	accept NAME [s=s1]         an origin takes the next connection
//	send NAME [body=TEXT]      a head: lines that get CRLF, and the empty line
//	raw NAME                   bytes, as Go strings, one or more lines
//	recv NAME                  shows the next message as its framing tells
//	recv NAME head | bytes=N | end     a head alone, N bytes, the end of the stream
//	fin NAME, close NAME, reset NAME   ends a stream, or its connection
//	log                        shows the next log line
//	read NAME                  waits until the balancer has read all that NAME has sent
//	queued B=N                 waits until N requests are in the queues of backend B; of
//	                           HAProxy this cannot be seen
//	untouched S                no connection waits at the origin
//	usable                     the next change in the number of usable servers
//
// What is shown has CRLF as line ends and other unprintable bytes as in Go strings.
func TestScripts(t *testing.T) {
	dir := "testdata/scripts"
	if againstHAProxy != "" {
		dir = againstHAProxy
	}
	files, err := filepath.Glob(dir + "/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in %s: %v", dir, err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			p := &player{t: t, wires: make(map[string]*wire), clients: make(map[string]bool)}
			datadriven.RunTest(t, path, p.play)
		})
	}
}

// preset is what `start http` and `start tcp` put before the configuration.
const preset = ` log {log}
 timeout connect 5s
 timeout client 5s
 timeout server 5s
`

type player struct {
	t       *testing.T
	r       *rig
	wires   map[string]*wire
	clients map[string]bool // those of wires that are clients and have not been closed
}

// leave closes a client and waits until the balancer has seen that: what it logs
// counts connections.
func (p *player) leave(name string) {
	if !p.clients[name] {
		return
	}
	delete(p.clients, name)
	p.wires[name].Close()
	if p.r.lb != nil {
		p.r.await("the session's end", func() bool { return p.r.lb.Status().Connections <= len(p.clients) })
	}
}

func (p *player) play(_ *testing.T, d *datadriven.TestData) string {
	t := p.t
	name := ""
	if len(d.CmdArgs) > 0 {
		name = d.CmdArgs[0].Key
	}
	switch d.Cmd {
	case "start":
		if p.r != nil {
			p.r.close()
			clear(p.clients)
		}
		text := d.Input
		if mode := d.CmdArgs; len(mode) > 0 {
			text = "global\n nbthread 1\ndefaults\n mode " + mode[0].Key + "\n option " + mode[0].Key + "log\n" + preset + text
		}
		p.r = start(t, text)
		for len(p.r.usable) > 0 { // the initial states
			<-p.r.usable
		}
		return ""
	case "client":
		fe, from := "fe", "127.0.0.1"
		d.MaybeScanArgs(t, "fe", &fe)
		d.MaybeScanArgs(t, "from", &from)
		p.leave(name)
		if d.HasArg("reset") {
			p.r.resetFrom(fe, from)
			return ""
		}
		p.clients[name] = true
		p.wires[name] = p.r.clientFrom(fe, from)
		return ""
	case "accept":
		s := "s1"
		d.MaybeScanArgs(t, "s", &s)
		p.wires[name] = p.r.accept(s)
		return ""
	case "log":
		return p.r.nextLog() + "\n"
	case "usable":
		return p.r.nextUsable() + "\n"
	case "queued":
		n, err := strconv.Atoi(d.CmdArgs[0].Vals[0])
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		if p.r.lb != nil {
			p.r.await("the queue", func() bool { return p.r.queued(name) == n })
		}
		return ""
	case "untouched":
		if !p.r.untouched(name) {
			return "somebody has connected\n"
		}
		return ""
	}
	w := p.wires[name]
	if w == nil {
		d.Fatalf(t, "nobody is called %q", name)
	}
	w.t = fatal{t, d}
	switch d.Cmd {
	case "send":
		body := ""
		d.MaybeScanArgs(t, "body", &body)
		w.send(strings.ReplaceAll(d.Input, "\n", "\r\n") + "\r\n\r\n" + body)
	case "raw":
		for line := range strings.Lines(d.Input) {
			b, err := strconv.Unquote(strings.TrimSpace(line))
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			w.send(b)
		}
	case "recv":
		n := 0
		d.MaybeScanArgs(t, "bytes", &n)
		switch {
		case d.HasArg("end"):
			return show(w.rest())
		case d.HasArg("head"):
			return show(w.head(), nil)
		case n > 0:
			return show(w.bytes(n), nil)
		}
		return show(w.message(), nil)
	case "read":
		p.r.awaitRead(w)
	case "fin":
		_ = w.CloseWrite()
	case "close":
		w.Close()
	case "reset":
		w.reset()
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	return ""
}

// fatal puts the position in a script before a failure.
type fatal struct {
	testing.TB
	d *datadriven.TestData
}

func (f fatal) Fatalf(format string, args ...any) { f.d.Fatalf(f.TB, format, args...) }

// show makes bytes readable; err is that of the read that ended them.
func show(s string, err error) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(s, "\r\n"), "\r\n") {
		q := strconv.Quote(line)
		b.WriteString(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`))
		b.WriteByte('\n')
	}
	switch {
	case err == nil && s == "":
		return "end\n"
	case errors.Is(err, syscall.ECONNRESET):
		b.WriteString("reset\n")
	case err != nil && err != io.EOF:
		b.WriteString(err.Error() + "\n")
	}
	return b.String()
}
