package runner

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"baton/checkscript"
)

// patience bounds every wait for an event; it is no measure of anything.
const patience = 20 * time.Second

// writeScript makes an executable file and returns its path.
func writeScript(t *testing.T, body string) string {
	t.Helper()
	dir := t.TempDir()
	// A script that runs as somebody else must be reachable for him.
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "check.sh")
	if err := os.WriteFile(path, []byte(body), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func makeFifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// started is a Runner at work whose verdicts can be awaited.
type started struct {
	*Runner
	verdicts chan checkscript.Verdict
	stop     func()
}

func start(t *testing.T, o Options) *started {
	t.Helper()
	s := &started{verdicts: make(chan checkscript.Verdict, 100)}
	o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	o.OnVerdict = func(name string) { s.verdicts <- s.Verdict(name) }
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Runner = r
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = r.Run(ctx); close(done) }()
	s.stop = func() {
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("Run does not return")
		}
	}
	t.Cleanup(s.stop)
	return s
}

func (s *started) await(t *testing.T, want checkscript.Verdict) {
	t.Helper()
	select {
	case got := <-s.verdicts:
		if got != want {
			t.Fatalf("verdict %v, want %v (%+v)", got, want, s.Status())
		}
	case <-time.After(patience):
		t.Fatalf("no verdict %v; status %+v", want, s.Status())
	}
}

func scriptProbe(argv ...string) checkscript.Probe {
	return checkscript.Probe{Name: "p", Kind: checkscript.Script, Argv: argv, Interval: 20 * time.Millisecond, Timeout: patience, Rise: 1, Fall: 1}
}

func TestScriptVerdictFollowsExitStatus(t *testing.T) {
	flag := filepath.Join(t.TempDir(), "good")
	path := writeScript(t, "#!/bin/sh\ntest -e \"$1\" || exit 3\n")
	s := start(t, Options{Probes: []checkscript.Probe{scriptProbe(path, flag)}})
	s.await(t, checkscript.Down)
	if got := s.Status()[0].Last; got != "exit status 3" {
		t.Errorf("last result %q", got)
	}
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.await(t, checkscript.Up)
	if err := os.Remove(flag); err != nil {
		t.Fatal(err)
	}
	s.await(t, checkscript.Down)
}

// The script starts a child that ignores SIGTERM, as the script does itself. The
// write ends of the fifo are gone only when both are.
const stubborn = `#!/bin/sh
trap "" TERM
exec 9>"$1"
echo started >&9
sh -c 'trap "" TERM; while :; do sleep 1000; done' &
while :; do sleep 1000; done
`

// awaitEnd reads the fifo to its end and returns the lines.
func awaitEnd(t *testing.T, fifo string, onFirst func()) string {
	t.Helper()
	f, err := os.Open(fifo) // waits for a writer
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	onFirst()
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	return line
}

func TestTimeoutEndsTheWholeProcessGroup(t *testing.T) {
	fifo := makeFifo(t)
	p := scriptProbe(writeScript(t, stubborn), fifo)
	p.Interval, p.Timeout = time.Hour, 50*time.Millisecond
	s := start(t, Options{Probes: []checkscript.Probe{p}})
	awaitEnd(t, fifo, func() {})
	s.await(t, checkscript.Down)
	if got := s.Status()[0]; !strings.HasPrefix(got.Last, "no result within") || got.Runs != 1 {
		t.Errorf("status %+v: want one run, ended by the timeout", got)
	}
}

func TestNothingIsLeftRunningAtTheEnd(t *testing.T) {
	fifo := makeFifo(t)
	s := start(t, Options{Probes: []checkscript.Probe{scriptProbe(writeScript(t, stubborn), fifo)}})
	awaitEnd(t, fifo, func() { go s.stop() })
}

func TestScriptStandsAlone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to change the user of a script")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("there is no user nobody")
	}
	t.Setenv("NOTIFY_SOCKET", "/nowhere")
	fifo := makeFifo(t)
	for d := filepath.Dir(fifo); d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	p := scriptProbe(writeScript(t, `#!/bin/sh
exec 9>"$1"
echo "$(id -u) $(id -G) $(readlink /proc/$$/fd/0) $(readlink /proc/$$/fd/1) group=$(($(ps -o pgid= -p $$)==$$)) notify=$NOTIFY_SOCKET" >&9
`), fifo)
	p.Interval, p.User = time.Hour, "nobody"
	s := start(t, Options{Probes: []checkscript.Probe{p}})
	got := awaitEnd(t, fifo, func() {})
	want := nobody.Uid + " " + nobody.Gid + " /dev/null /dev/null group=1 notify=\n"
	if got != want {
		t.Errorf("script sees %q, want %q", got, want)
	}
	s.await(t, checkscript.Up)
}

func TestValidate(t *testing.T) {
	dir := t.TempDir()
	write := func(name, body string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good", "#!/bin/sh\n", 0o755)
	world := write("world", "#!/bin/sh\n", 0o755)
	if err := os.Chmod(world, 0o777); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, user, group, want string
		argv                    []string
		secure                  bool
	}{
		{name: "script", argv: []string{good, "-x"}},
		{name: "program by PATH", argv: []string{"true"}},
		{name: "user and group", argv: []string{"true"}, user: "root", group: "daemon"},
		{name: "numeric user", argv: []string{"true"}, user: "0"},
		{name: "nothing", want: "no script is named"},
		{name: "missing", argv: []string{dir + "/nope"}, want: "/nope: no such file"},
		{name: "not in PATH", argv: []string{"no-such-program-here"}, want: "no-such-program-here: not found in PATH"},
		{name: "directory", argv: []string{dir}, want: "is a directory"},
		{name: "mode", argv: []string{write("mode", "#!/bin/sh\n", 0o644)}, want: "is not executable (chmod +x"},
		{name: "no interpreter line", argv: []string{write("plain", "exit 0\n", 0o755)}, want: "nor does it start with #!"},
		{name: "interpreter missing", argv: []string{write("intp", "#!/no/such/sh\n", 0o755)}, want: "its interpreter: /no/such/sh: no such file"},
		{name: "DOS line ends", argv: []string{write("dos", "#!/bin/sh\r\nexit 0\r\n", 0o755)}, want: "carriage return"},
		{name: "user", argv: []string{"true"}, user: "no-such-user", want: "there is no user no-such-user"},
		{name: "group", argv: []string{"true"}, user: "root", group: "no-such-group", want: "there is no group no-such-group"},
		{name: "root runs what all can write", argv: []string{world}, user: "root"},
		{name: "root runs what all can write, secure", argv: []string{world}, user: "root", secure: true, want: "others than root can change"},
		{name: "secure program", argv: []string{"/bin/true"}, user: "root", secure: true},
		{name: "not for this user", argv: []string{write("private", "#!/bin/sh\n", 0o700)}, user: "nobody", want: "may not be executed by user nobody"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := Validate(checkscript.Probe{Kind: checkscript.Script, Argv: c.argv, User: c.user, Group: c.group}, c.secure)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("unexpected: %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestSelfAsksTheBalancer(t *testing.T) {
	var serving atomic.Bool
	s := start(t, Options{
		Probes:  []checkscript.Probe{{Name: "p", Kind: checkscript.Self, Interval: 5 * time.Millisecond, Rise: 1, Fall: 1}},
		Serving: serving.Load,
	})
	s.await(t, checkscript.Down)
	serving.Store(true)
	s.await(t, checkscript.Up)
}

func TestBackendFollowsUsableServers(t *testing.T) {
	var usable atomic.Int32
	usable.Store(3)
	s := start(t, Options{
		Probes: []checkscript.Probe{{Name: "p", Kind: checkscript.Backend, Backend: "web", MinServers: 2}},
		Usable: func(string) int { return int(usable.Load()) },
	})
	s.await(t, checkscript.Up)
	usable.Store(1)
	s.BackendChanged("other")
	s.BackendChanged("web")
	s.await(t, checkscript.Down)
	if got, want := s.Status()[0].Last, "usable servers of backend web: 1, needed: 2"; got != want {
		t.Errorf("last %q, want %q", got, want)
	}
	usable.Store(2)
	s.BackendChanged("web")
	s.await(t, checkscript.Up)
}

// answer serves one connection with a canned answer; "" never answers.
func answer(t *testing.T, text string) func(context.Context, string) (net.Conn, error) {
	return func(context.Context, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			line, err := bufio.NewReader(server).ReadString('\n')
			if err != nil {
				return
			}
			if line != "GET /health HTTP/1.0\r\n" {
				t.Errorf("request line %q", line)
			}
			if text == "" {
				_, _ = io.Copy(io.Discard, server) // until the other side gives up
				return
			}
			go func() { _, _ = io.Copy(io.Discard, server) }()
			_, _ = io.WriteString(server, text)
		}()
		return client, nil
	}
}

// The rest of a short answer is read, so that the balancer does not log a client that
// went away; an endless one is not waited for.
func TestTrafficHearsTheAnswerOut(t *testing.T) {
	for _, endless := range []bool{false, true} {
		heard := make(chan error, 1)
		dial := func(context.Context, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() {
				defer server.Close()
				if _, err := bufio.NewReader(server).ReadString('\n'); err != nil {
					heard <- err
					return
				}
				go func() { _, _ = io.Copy(io.Discard, server) }()
				_, err := io.WriteString(server, "HTTP/1.1 200 OK\r\n\r\n")
				for n := 0; err == nil && (endless || n < 20); n++ {
					_, err = io.WriteString(server, strings.Repeat("x", 1000))
				}
				heard <- err
			}()
			return client, nil
		}
		p := checkscript.Probe{Name: "p", Kind: checkscript.Traffic, Frontend: "web", URI: "/", Interval: time.Hour, Timeout: patience}
		s := start(t, Options{Probes: []checkscript.Probe{p}, Dial: dial})
		s.await(t, checkscript.Up)
		if err := <-heard; (err != nil) != endless {
			t.Errorf("endless %v: the answer was cut: %v", endless, err)
		}
	}
}

func TestTraffic(t *testing.T) {
	refuse := func(context.Context, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	for _, c := range []struct {
		name string
		dial func(context.Context, string) (net.Conn, error)
		want checkscript.Verdict
		last string
	}{
		{"200", answer(t, "HTTP/1.1 200 OK\r\n\r\n"), checkscript.Up, "frontend web answers 200"},
		{"404 is an answer", answer(t, "HTTP/1.0 404 Not Found\r\n\r\n"), checkscript.Up, "frontend web answers 404"},
		{"503", answer(t, "HTTP/1.1 503 Service Unavailable\r\n\r\n"), checkscript.Down, "frontend web answers 503"},
		{"garbage", answer(t, "SSH-2.0-x\r\n"), checkscript.Down, "frontend web: not an HTTP answer: \"SSH-2.0-x\\r\\n\""},
		{"endless line", answer(t, strings.Repeat("x", 3*maxHead)), checkscript.Down, "frontend web: incomplete status line"},
		{"refused", refuse, checkscript.Down, "frontend web: connection refused"},
		{"silence", answer(t, ""), checkscript.Down, "frontend web: no answer in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := checkscript.Probe{Name: "p", Kind: checkscript.Traffic, Frontend: "web", URI: "/health", Interval: time.Hour, Timeout: patience}
			if c.name == "silence" {
				p.Timeout = 50 * time.Millisecond
			}
			s := start(t, Options{Probes: []checkscript.Probe{p}, Dial: c.dial})
			s.await(t, c.want)
			if got := s.Status()[0].Last; !strings.HasPrefix(got, c.last) {
				t.Errorf("last %q, want %q", got, c.last)
			}
		})
	}
}
