package e2e

import (
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// slowSite runs baton in front of a web server that answers when it is told to,
// and sends it one request.
func slowSite(t *testing.T) (n *node, goOn chan struct{}, answer chan string) {
	t.Helper()
	n = single(t)
	goOn, answer = make(chan struct{}), make(chan string, 1)
	arrived := make(chan struct{})
	s := serveWeb(t, n.Host, "127.0.0.1:8081", "")
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		select {
		case <-goOn:
			_, _ = io.WriteString(w, "late but here")
		case <-r.Context().Done():
		}
	})
	n.write("web.cfg", strings.Replace(healthCfg, "monitor-uri /health", "default_backend slow\nbackend slow\n    server s 127.0.0.1:8081", 1))
	n.run("-f", "web.cfg")
	var c net.Conn
	var err error
	n.Do(func() { c, err = net.Dial("tcp", "127.0.0.1:8080") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-arrived
	go func() {
		b, _ := io.ReadAll(c)
		answer <- string(b)
	}()
	return n, goOn, answer
}

// awaitRefusal waits until nobody listens on the frontend's port.
func awaitRefusal(t *testing.T, n *node) {
	t.Helper()
	await(t, "new connections are refused", func() bool {
		var err error
		n.Do(func() {
			var c net.Conn
			if c, err = net.Dial("tcp", "127.0.0.1:8080"); err == nil {
				_ = c.Close()
			}
		})
		return err != nil
	})
}

func TestStopLetsRequestsFinish(t *testing.T) {
	n, goOn, answer := slowSite(t)
	if err := n.proc.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitRefusal(t, n)
	mustContain(t, n.status(), ": stopping, pid")
	close(goOn)
	mustContain(t, <-answer, "200 OK", "connection: close", "late but here")
	if code := n.wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	mustContain(t, n.proc.told.String(), "READY=1", "STOPPING=1")
}

func TestSecondSignalCutsTheDrainShort(t *testing.T) {
	n, _, answer := slowSite(t)
	for range 2 {
		if err := n.proc.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		awaitRefusal(t, n)
	}
	if code := n.wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if got := <-answer; strings.Contains(got, "late") {
		t.Errorf("answer %q, want a cut connection", got)
	}
	mustContain(t, n.proc.log.String(), "not waiting for open connections any longer", "connections were cut")
}

// Signals that mean something to HAProxy or keepalived are answered in the log, and
// whoever reads the log may go away.
func TestOtherSignalsChangeNothing(t *testing.T) {
	n := single(t)
	n.write("web.cfg", healthCfg)
	n.run("-f", "web.cfg")
	reloads := 0
	for sig, says := range map[syscall.Signal]string{
		syscall.SIGHUP: "reloaded: ", syscall.SIGUSR2: "reloaded: ", syscall.SIGUSR1: "SIGUSR1 does nothing here",
	} {
		if err := n.proc.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		want := 1
		if sig != syscall.SIGUSR1 {
			reloads++
			want = reloads
		}
		await(t, says, func() bool { return strings.Count(n.proc.log.String(), says) == want })
	}
	if err := n.proc.cmd.Process.Signal(syscall.SIGPIPE); err != nil {
		t.Fatal(err)
	}
	awaitPage(t, n.Host, "http://127.0.0.1:8080/health", "<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n")
	if code := n.stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

func TestWatchdogIsPinged(t *testing.T) {
	n := single(t)
	n.write("web.cfg", healthCfg)
	n.write("pair.conf", peerConf("BACKUP", "100"))
	cmd := n.command("run", "--socket", n.socket(), "-f", "web.cfg", "-f", "pair.conf")
	cmd.Env = append(cmd.Environ(), "WATCHDOG_USEC=3000000")
	n.runCommand(cmd)
	await(t, "two pings", func() bool { return strings.Count(n.proc.told.String(), "WATCHDOG=1") >= 2 })
	n.addresses.await(vip, true)
	await(t, "the status line names the master", func() bool {
		return strings.Contains(n.proc.told.String(), "STATUS=VI_1 is MASTER (priority 100)")
	})
}
