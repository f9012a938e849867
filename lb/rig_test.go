package lb_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"baton/conf"
	"baton/conf/haproxy"
	"baton/internal/sys"
	"baton/lb"
	"baton/lb/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test. It is only ever spent by a failing one.
const patience = 10 * time.Second

// rig is a balancer on loopback with the clients, origins and the log that a test
// plays. In its configuration
//
//	{fe}  stands for a listener's address, any name that starts with "fe"
//	{log} for a log target that nextLog reads, facility included
//	{sock} for the path of that target alone
//	{full} for an address that answers to no connection
//	{no}  for an address where nobody listens, any name that starts with "no"
//	{pages} for the folder of error pages, testdata/pages
//	{port} for an origin's port alone, any name that starts with "port"
//	{unix} for the path of an origin's unix socket, any name that starts with "unix"; {abs}
//	       likewise for a name behind abns@
//	{s1}  for an origin's address, any other name
type rig struct {
	t        testing.TB
	lb       *lb.Service // nil when HAProxy plays its part
	names    map[string]string
	origins  map[string]origin
	conns    []*wire
	reserved []int // descriptors
	crowds   []net.Conn
	logs     *net.UnixConn
	sock     string              // its path
	sockets  map[string][]sys.FD // handed to the balancer
	usable   chan string         // "backend n" for each change that the balancer tells
	players  sync.WaitGroup      // goroutines that play origins until their listeners close

	stopOnce sync.Once
	stop     func()
}

// againstHAProxy is a folder of scripts that are played to the HAProxy of this host
// instead. To see where baton differs, copy testdata/scripts there and rewrite it:
//
//	LB_TEST_HAPROXY=FOLDER go test ./lb -run Scripts -rewrite
var againstHAProxy = os.Getenv("LB_TEST_HAPROXY")

// start runs a balancer for the test's duration.
func start(t testing.TB, text string) *rig {
	t.Helper()
	return startAs(t, text, againstHAProxy != "")
}

// startPlayed is start with something to do when the origins listen and the balancer is
// not there yet.
func startPlayed(t testing.TB, text string, before func(*rig)) *rig {
	t.Helper()
	return startWith(t, text, againstHAProxy != "", before)
}

// startAs lets baton or the host's HAProxy play the balancer.
func startAs(t testing.TB, text string, haproxy bool) *rig {
	t.Helper()
	return startWith(t, text, haproxy, func(*rig) {})
}

func startWith(t testing.TB, text string, haproxy bool, before func(*rig)) *rig {
	t.Helper()
	r := &rig{t: t, names: make(map[string]string), origins: make(map[string]origin), usable: make(chan string, 1000)}
	r.sock = filepath.Join(t.TempDir(), "log")
	var err error
	if r.logs, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: r.sock, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	cfg := r.fill(text)
	before(r)
	if haproxy {
		r.runHAProxy(cfg)
	} else if err := r.run(cfg); err != nil {
		t.Fatal(err)
	}
	return r
}

var placeholder = regexp.MustCompile(`\{[a-z]+[0-9]*\}`)

func (r *rig) fill(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(s string) string {
		name := s[1 : len(s)-1]
		switch {
		case name == "sock":
			return r.sock
		case name == "log":
			return r.sock + " len 8000 format raw local0"
		case name == "pages":
			dir, err := filepath.Abs("testdata/pages")
			if err != nil {
				r.t.Fatal(err)
			}
			return dir
		case r.names[name] != "":
		case name == "full":
			r.names[name] = r.crowd()
		case strings.HasPrefix(name, "fe"), strings.HasPrefix(name, "no"):
			r.names[name] = r.reserve()
		case strings.HasPrefix(name, "unix"), strings.HasPrefix(name, "abs"):
			r.names[name] = r.unixOrigin(name)
		default:
			ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				r.t.Fatal(err)
			}
			r.origins[name] = ln
			r.names[name] = ln.Addr().String()
			if strings.HasPrefix(name, "port") {
				_, r.names[name], _ = net.SplitHostPort(r.names[name])
			}
		}
		return r.names[name]
	})
}

// unixOrigin makes an origin on a unix socket. Behind abns@ a name has zeros up to the end
// of the address.
func (r *rig) unixOrigin(name string) string {
	path := filepath.Join(r.t.TempDir(), name)
	at := path
	if strings.HasPrefix(name, "abs") {
		at = "@" + path + strings.Repeat("\x00", sys.UnixName-1-len(path))
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: at, Net: "unix"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.origins[name] = ln
	return path
}

// reserve returns an address on which nobody listens, and keeps others from taking it:
// a socket that is bound and does not listen is no obstacle to one that does, where
// both allow it (SO_REUSEADDR, SO_REUSEPORT).
func (r *rig) reserve() string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	r.reserved = append(r.reserved, fd)
	const reusePort = 15 // SO_REUSEPORT, which package syscall does not name here
	for _, option := range []int{syscall.SO_REUSEADDR, reusePort} {
		if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, option, 1); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		r.t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		r.t.Fatal(err)
	}
	return fmt.Sprint("127.0.0.1:", sa.(*syscall.SockaddrInet4).Port)
}

// crowd returns an address whose backlog is full: the kernel drops SYNs to it.
func (r *rig) crowd() string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	r.reserved = append(r.reserved, fd)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		r.t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		r.t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		r.t.Fatal(err)
	}
	addr := fmt.Sprint("127.0.0.1:", sa.(*syscall.SockaddrInet4).Port)
	for {
		c, err := net.DialTimeout("tcp", addr, 50*time.Millisecond)
		if err != nil {
			return addr
		}
		r.crowds = append(r.crowds, c)
	}
}

// load goes the daemon's way from the text to the configuration.
func (r *rig) load(text string) *spec.Config {
	t := r.t
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "t.cfg"), []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tree, errs := conf.Parse(conf.Source{FS: os.DirFS("/"), Dir: dir}, []string{"t.cfg"})
	cfg, more := haproxy.Lower(tree)
	errs = append(errs, more...)
	if errs.Errors() == 0 {
		errs = append(errs, lb.Resolve(t.Context(), cfg)...)
	}
	if errs.Errors() > 0 {
		t.Fatalf("%v\n%s", errs, text)
	}
	return cfg
}

// run goes the daemon's way from the text to a running balancer.
func (r *rig) run(text string) error {
	t := r.t
	cfg := r.load(text)
	var err error
	r.lb, err = lb.NewService(cfg, lb.Options{
		Sockets:   r.sockets,
		Log:       slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
		OnBackend: func(name string, n int) { r.usable <- fmt.Sprint(name, " ", n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.lb.Listen(); err != nil {
		r.lb.Close()
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.lb.Run(ctx)
	}()
	<-r.lb.Ready()
	r.stop = func() {
		cancel()
		<-done
	}
	return nil
}

// testLog fails the test on what the balancer calls a bug.
type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "BUG") {
		l.t.Errorf("%s", b)
	}
	return len(b), nil
}

func (r *rig) runHAProxy(text string) {
	file := filepath.Join(r.t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command("haproxy", "-q", "-db", "-f", file)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	r.stop = func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	// A busy host takes its time to start a process: what ends the wait is that it listens,
	// or that there is none any more.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for name, addr := range r.names {
		for strings.HasPrefix(name, "fe") && !listens(r.t, addr) {
			select {
			case <-ended:
				r.t.Fatalf("haproxy ended: %v", cmd.ProcessState)
			case <-tick.C:
			}
		}
	}
}

// listens tells whether somebody listens at an IPv4 address of this host, without
// making a connection that would be logged and counted.
func listens(t testing.TB, addr string) bool {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(table), " "+procAddr(addr)+" 00000000:0000 0A ") // state 0A is LISTEN
}

// procAddr is an IPv4 address and port as /proc/net/tcp has them: in host order.
func procAddr(addr string) string {
	a := netip.MustParseAddrPort(addr)
	b := a.Addr().As4()
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(b[:]), a.Port())
}

// awaitRead waits until the balancer has read all that w has sent, which a reset would
// overtake.
func (r *rig) awaitRead(w *wire) {
	r.t.Helper()
	ours, theirs := procAddr(w.LocalAddr().String()), procAddr(w.RemoteAddr().String())
	r.await("the balancer to read", func() bool {
		table, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			r.t.Fatal(err)
		}
		// State 01 is ESTABLISHED; then come the bytes to be acknowledged and those to be read.
		sent := strings.Contains(string(table), " "+ours+" "+theirs+" 01 00000000:")
		return sent && regexp.MustCompile(" "+theirs+" "+ours+" 01 [0-9A-F]+:00000000 ").Match(table)
	})
}

// close ends everything, and fails the test when sessions stay behind though their
// clients and servers have gone.
func (r *rig) close() {
	for _, c := range r.conns {
		c.Close()
	}
	for _, ln := range r.origins {
		ln.Close()
	}
	for _, c := range r.crowds {
		c.Close()
	}
	for _, fd := range r.reserved {
		_ = syscall.Close(fd)
	}
	r.reserved = nil
	if r.lb != nil && r.stop != nil {
		r.lb.StopListening()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.lb.Drain(ctx); err != nil {
			r.t.Error(err)
		}
		r.balanced()
	}
	r.players.Go(func() { // lines that nobody asked for must not hold the balancer's end up
		_ = r.logs.SetReadDeadline(time.Time{})
		for buf := make([]byte, 4096); ; {
			if _, err := r.logs.Read(buf); err != nil {
				return
			}
		}
	})
	r.halt()
	r.logs.Close()
	r.players.Wait()
}

// halt stops the balancer at once.
func (r *rig) halt() {
	r.stopOnce.Do(func() {
		if r.stop != nil {
			r.stop()
		}
	})
}

// balanced checks that all that was counted in has been counted out.
func (r *rig) balanced() {
	r.t.Helper()
	st := r.lb.Status()
	if st.Connections != 0 {
		r.t.Errorf("%d connections left", st.Connections)
	}
	for _, f := range st.Frontends {
		if f.Connections != 0 {
			r.t.Errorf("frontend %s has %d connections left", f.Name, f.Connections)
		}
	}
	for _, b := range st.Backends {
		if b.Current != 0 || b.Queued != 0 {
			r.t.Errorf("backend %s has %d sessions and %d queued left", b.Name, b.Current, b.Queued)
		}
		for _, s := range b.Servers {
			if s.Current != 0 || s.Queued != 0 {
				r.t.Errorf("server %s/%s has %d sessions and %d queued left", b.Name, s.Name, s.Current, s.Queued)
			}
		}
	}
}

// await polls for what no event tells.
func (r *rig) await(what string, ok func() bool) {
	r.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// backend returns the state of a backend.
func (r *rig) backend(name string) lb.BackendStatus {
	for _, b := range r.lb.Status().Backends {
		if b.Name == name {
			return b
		}
	}
	r.t.Fatalf("no backend %q", name)
	panic("unreachable")
}

// queued is how many wait in a backend, for any server or for one.
func (r *rig) queued(backend string) int {
	b := r.backend(backend)
	n := b.Queued
	for _, s := range b.Servers {
		n += s.Queued
	}
	return n
}

// nextUsable waits for the next change of the number of usable servers.
func (r *rig) nextUsable() string {
	r.t.Helper()
	select {
	case s := <-r.usable:
		return s
	case <-time.After(patience):
		r.t.Fatal("no change of usable servers")
		panic("unreachable")
	}
}

// nextLog returns the next log line without what differs from run to run: client
// and date are cut, timers that were reached read t.
func (r *rig) nextLog() string {
	r.t.Helper()
	return normal(r.rawLog())
}

// rawLog returns the next log line as it came.
func (r *rig) rawLog() string {
	r.t.Helper()
	buf := make([]byte, 65536)
	_ = r.logs.SetReadDeadline(time.Now().Add(patience))
	n, err := r.logs.Read(buf)
	if err != nil {
		r.t.Fatalf("no log line: %v", err)
	}
	return strings.TrimSuffix(string(buf[:n]), "\n")
}

var (
	lineStart = regexp.MustCompile(`^[0-9a-f.:]+:\d+ \[[^]]*\] `)
	timers    = regexp.MustCompile(` (-?\d+(/-?\d+){2,4}) `)
	digits    = regexp.MustCompile(`\b\d+\b`)
	duration  = regexp.MustCompile(`\d+ms`)
	address   = regexp.MustCompile(`127\.0\.0\.1:\d+`)
)

func normal(line string) string {
	loc := lineStart.FindStringIndex(line)
	if loc == nil { // not a session's
		return address.ReplaceAllString(duration.ReplaceAllString(line, "<t>ms"), "<addr>")
	}
	line = line[loc[1]:]
	first := true
	return timers.ReplaceAllStringFunc(line, func(s string) string {
		if !first {
			return s
		}
		first = false
		s = strings.ReplaceAll(s, "-1", "?")
		return strings.ReplaceAll(digits.ReplaceAllString(s, "t"), "?", "-1")
	})
}

var _ io.Writer = testLog{}
