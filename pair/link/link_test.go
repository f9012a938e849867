package link

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"baton/pair"
)

// patience bounds every wait for what must come.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	if dir := os.Getenv("BATON_LINK_NODE"); dir != "" {
		runNode(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// runNode is a node in a process of its own, to be killed.
func runNode(dir string) {
	n := &node{dir: dir, listen: netip.MustParseAddrPort(os.Getenv("BATON_LINK_LISTEN")), peer: netip.MustParseAddrPort(os.Getenv("BATON_LINK_PEER"))}
	l := New(n.options(func(pair.Action) {}))
	l.Publish(pair.State{Reason: "child"})
	_ = l.Run(context.Background())
}

// node is one end: a folder with keys, and addresses.
type node struct {
	t            *testing.T
	dir          string
	id           *Identity
	listen, peer netip.AddrPort
	link         *Link
	told         chan pair.Action
	stop         func()
}

func (n *node) options(on func(pair.Action)) Options {
	return Options{
		Key: filepath.Join(n.dir, "key"), PeerKey: filepath.Join(n.dir, "peer"),
		Listen: n.listen, Peer: n.peer, Log: slog.New(slog.DiscardHandler), On: on,
		Hello: pair.Hello{Node: filepath.Base(n.dir), Incarnation: uint64(os.Getpid())<<32 + uint64(n.listen.Port())},
	}
}

// freePort returns an address nobody listens on.
func freePort(t *testing.T, ip string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String())
}

// twoNodes makes two nodes that know each other, not yet running.
func twoNodes(t *testing.T) (a, b *node) {
	t.Helper()
	newNode := func(name, ip string) *node {
		n := &node{t: t, dir: filepath.Join(t.TempDir(), name), listen: freePort(t, ip)}
		if err := os.Mkdir(n.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		id, made, err := Create(filepath.Join(n.dir, "key"))
		if err != nil || !made {
			t.Fatal(made, err)
		}
		n.id = id
		return n
	}
	a, b = newNode("a", "127.0.0.1"), newNode("b", "127.0.0.2")
	a.peer, b.peer = b.listen, a.listen
	a.pin(b.id.ID)
	b.pin(a.id.ID)
	return a, b
}

func (n *node) pin(id pair.ID) {
	n.t.Helper()
	if err := SavePeer(filepath.Join(n.dir, "peer"), Peer{ID: id, Node: "other"}); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) start() {
	n.told = make(chan pair.Action, 1000)
	told := n.told
	n.link = New(n.options(func(a pair.Action) { told <- a }))
	n.link.Publish(pair.State{Reason: filepath.Base(n.dir)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = n.link.Run(ctx)
	}()
	n.stop = func() { cancel(); <-done }
	n.t.Cleanup(n.stop)
}

// await returns the first action that is wanted; none of never may come before.
func (n *node) await(what string, want func(pair.Action) bool, never ...pair.ActionKind) pair.Action {
	n.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case a := <-n.told:
			for _, k := range never {
				if a.Kind == k {
					n.t.Fatalf("%s: told %+v before %s", n.dir, a, what)
				}
			}
			if want(a) {
				return a
			}
		case <-timeout:
			n.t.Fatalf("%s: never told %s; status %+v", n.dir, what, n.link.Status())
		}
	}
}

func kind(k pair.ActionKind) func(pair.Action) bool {
	return func(a pair.Action) bool { return a.Kind == k }
}

func heardState(a pair.Action) bool {
	_, ok := a.Message.(pair.State)
	return a.Kind == pair.Heard && ok
}

// poll waits for a condition that no event signals.
func poll(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestLinkCarriesAndLeaves(t *testing.T) {
	a, b := twoNodes(t)
	a.start()
	b.start()
	if up := a.await("up", kind(pair.Up)); up.Hello.Node != "b" {
		t.Errorf("up with %+v", up.Hello)
	}
	b.await("up", kind(pair.Up))
	if s := a.await("the peer's state", heardState).Message.(pair.State); s.Reason != "b" {
		t.Errorf("state %+v", s)
	}
	a.link.Say(pair.Takeover{ID: 9})
	b.await("the request", func(x pair.Action) bool { return x.Message == pair.Takeover{ID: 9} })
	b.link.Say(pair.Answer{ID: 9, Accepted: true})
	a.await("the answer", func(x pair.Action) bool { return x.Message == pair.Answer{ID: 9, Accepted: true} })
	if st := a.link.Status(); !st.Up || st.PeerID != FormatID(b.id.ID) || st.Problem != "" {
		t.Errorf("status %+v", st)
	}
	b.stop()
	if down := a.await("down", kind(pair.Down), pair.Gone); down.Why != pair.PeerLeft {
		t.Errorf("down because %v", down.Why)
	}
	b.start()
	a.await("up again", kind(pair.Up), pair.Gone)
}

// child runs b in a process of its own.
func (n *node) child() *exec.Cmd {
	n.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BATON_LINK_NODE="+n.dir, "BATON_LINK_LISTEN="+n.listen.String(), "BATON_LINK_PEER="+n.peer.String())
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// The kernel of a killed process tells at once, and once more when it is asked.
func TestKilledProcessIsGone(t *testing.T) {
	a, b := twoNodes(t)
	cmd := b.child()
	a.start()
	a.await("the child's state", heardState)
	began := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	a.await("gone", kind(pair.Gone))
	t.Logf("gone %v after SIGKILL", time.Since(began))
	if down := a.await("down", kind(pair.Down)); down.Why != pair.PeerDied {
		t.Errorf("down because %v", down.Why)
	}
}

// relay stands between a and b as a network would: a knows b by the relay's
// address.
type relay struct {
	t     *testing.T
	ln    *net.TCPListener
	to    netip.AddrPort
	conns chan [2]*net.TCPConn
	mute  chan struct{} // closed: bytes get lost
}

func newRelay(t *testing.T, at, to netip.AddrPort) *relay {
	t.Helper()
	ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, ln: ln, to: to, conns: make(chan [2]*net.TCPConn, 100), mute: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			in, err := ln.AcceptTCP()
			if err != nil {
				return
			}
			// From a's own address: b takes no connection from elsewhere.
			out, err := net.DialTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, net.TCPAddrFromAddrPort(to))
			if err != nil {
				_ = in.Close()
				continue
			}
			go r.pump(in, out)
			go r.pump(out, in)
			r.conns <- [2]*net.TCPConn{in, out}
		}
	}()
	t.Cleanup(func() {
		r.close()
		<-done
	})
	return r
}

func (r *relay) pump(from, to *net.TCPConn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		select {
		case <-r.mute:
			if err != nil {
				return
			}
			continue
		default:
		}
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			_ = to.CloseWrite()
			return
		}
	}
}

// cut ends the present connections, a's half by FIN or by RST; one that is made
// meanwhile, to ask again, is left alone.
func (r *relay) cut(reset bool) {
	for range len(r.conns) {
		select {
		case c := <-r.conns:
			if reset {
				_ = c[0].SetLinger(0)
			}
			_ = c[0].Close()
			_ = c[1].Close()
		default:
			return
		}
	}
}

func (r *relay) close() {
	_ = r.ln.Close()
	r.cut(true)
}

// through makes a reach b by a relay, and keeps b from dialling.
func through(t *testing.T) (a, b *node, r *relay) {
	a, b = twoNodes(t)
	at := freePort(t, "127.0.0.3")
	r = newRelay(t, at, b.listen)
	a.peer = at
	b.peer = netip.AddrPortFrom(a.listen.Addr(), freePort(t, "127.0.0.1").Port())
	a.start()
	b.start()
	a.await("up", kind(pair.Up))
	b.await("up", kind(pair.Up))
	return a, b, r
}

// Forged ends: the process answers when it is asked, so it is not gone.
func TestForgedEnd(t *testing.T) {
	for name, reset := range map[string]bool{"FIN": false, "RST": true} {
		t.Run(name, func(t *testing.T) {
			a, _, r := through(t)
			for range 3 {
				r.cut(reset)
				if up := a.await("up again", kind(pair.Up), pair.Gone, pair.Down); !up.Again {
					t.Error("taken for another process")
				}
			}
		})
	}
}

// A path that swallows everything: down after a time, and no word about the peer.
func TestSilence(t *testing.T) {
	a, b, r := through(t)
	close(r.mute)
	for _, n := range []*node{a, b} {
		if down := n.await("down", kind(pair.Down), pair.Gone); down.Why != pair.PeerSilent {
			t.Errorf("down because %v", down.Why)
		}
	}
	// What the cut path then does with the old connections does not matter either.
	r.cut(true)
	a.link.Publish(pair.State{})
	select {
	case x := <-a.told:
		if x.Kind == pair.Gone {
			t.Error("gone")
		}
	case <-time.After(200 * time.Millisecond):
	}
}

func TestWrongPin(t *testing.T) {
	a, b := twoNodes(t)
	_, c := twoNodes(t)
	b.pin(c.id.ID) // b expects another node than a
	a.start()
	b.start()
	poll(t, "a says why", func() bool { return a.link.Status().DialError != "" })
	poll(t, "b counts", func() bool { return b.link.Status().Refused > 0 })
	poll(t, "b names the key", func() bool { return b.link.Status().DialError != "" })
	if a.link.Status().Up || b.link.Status().Up {
		t.Error("up")
	}
	t.Log(a.link.Status().DialError, "|", b.link.Status().DialError)
}

// dialAs connects to b from a's address.
func (n *node) dialAs(from string) net.Conn {
	n.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	var c net.Conn
	poll(n.t, "b listens", func() bool {
		var err error
		c, err = d.Dial("tcp", n.listen.String())
		return err == nil
	})
	n.t.Cleanup(func() { _ = c.Close() })
	return c
}

// awaitEOF waits until the other end has closed.
func awaitEOF(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, c); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection stays open")
	}
}

// What anybody can do to the port changes nothing of a link that is up.
func TestAttackers(t *testing.T) {
	a, b := twoNodes(t)
	_, c := twoNodes(t)
	a.start()
	b.start()
	a.await("up", kind(pair.Up))
	b.await("up", kind(pair.Up))

	stranger := b.dialAs("127.0.0.9")
	awaitEOF(t, stranger)

	garbage := b.dialAs("127.0.0.1")
	_, _ = garbage.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	awaitEOF(t, garbage)

	stalled := b.dialAs("127.0.0.1") // says nothing: closed after handshakeLimit
	awaitEOF(t, stalled)

	bare := tls.Client(b.dialAs("127.0.0.1"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{linkALPN}})
	_ = bare.Handshake()
	_, err := bare.Read(make([]byte, 1))
	if err == nil {
		t.Error("a client without a certificate is heard")
	}
	other := tls.Client(b.dialAs("127.0.0.1"), c.id.config(linkALPN, func(pair.ID) error { return nil }))
	_ = other.Handshake()
	if _, err := other.Read(make([]byte, 1)); err == nil {
		t.Error("another key is heard")
	}
	old := c.id.config(linkALPN, func(pair.ID) error { return nil })
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	if err := tls.Client(b.dialAs("127.0.0.1"), old).Handshake(); err == nil {
		t.Error("TLS 1.2 is spoken")
	}
	poll(t, "all are counted", func() bool {
		st := b.link.Status()
		return st.Strangers == 1 && st.Refused == 5
	})
	if !a.link.Status().Up || !b.link.Status().Up {
		t.Error("the link went down")
	}
	for len(b.told) > 0 {
		if x := <-b.told; x.Kind == pair.Down || x.Kind == pair.Gone || x.Kind == pair.Up {
			t.Errorf("told %+v", x)
		}
	}
}

// Bytes of a real connection, sent again: nothing comes of it.
func TestReplay(t *testing.T) {
	a, b := twoNodes(t)
	at := freePort(t, "127.0.0.3")
	ln, err := net.Listen("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a.peer = at
	b.peer = netip.AddrPortFrom(a.listen.Addr(), freePort(t, "127.0.0.1").Port())
	b.start()
	a.start()
	in, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	out := b.dialAs("127.0.0.1")
	go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
	recorded := make(chan []byte, 1)
	go func() {
		var all []byte
		buf := make([]byte, 32<<10)
		for {
			n, err := in.Read(buf)
			all = append(all, buf[:n]...)
			_, _ = out.Write(buf[:n])
			if err != nil {
				_ = out.Close()
				recorded <- all
				return
			}
		}
	}()
	b.await("a's state", heardState)
	a.stop()
	b.await("down", kind(pair.Down), pair.Gone)
	again := b.dialAs("127.0.0.1")
	_, _ = again.Write(<-recorded)
	awaitEOF(t, again)
	poll(t, "refused", func() bool { return b.link.Status().Refused == 1 })
	if b.link.Status().Up || len(b.told) > 0 {
		t.Errorf("something came of it: %+v", b.link.Status())
	}
}

// A peer that proves its key and then neither reads nor ends: the node goes on,
// and drops it.
func TestStalledPeer(t *testing.T) {
	a, b := twoNodes(t)
	b.start()
	raw := b.dialAs("127.0.0.1")
	_ = raw.(*net.TCPConn).SetReadBuffer(4096)
	c := tls.Client(raw, a.id.config(linkALPN, only(b.id.ID)))
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(pair.Append(nil, pair.Hello{Protocol: pair.Protocol, Incarnation: 1})); err != nil {
		t.Fatal(err)
	}
	b.await("up", kind(pair.Up))
	big := pair.State{Instances: make([]pair.InstanceState, 1000)}
	for i := range big.Instances {
		big.Instances[i].Reason = string(make([]byte, 200))
	}
	for range 4 * outQueue {
		b.link.Publish(big)
		b.link.Say(pair.Takeover{})
	}
	if down := b.await("down", kind(pair.Down), pair.Gone); down.Why != pair.PeerSilent {
		t.Errorf("down because %v", down.Why)
	}
	_ = raw.Close()
	a.start() // the real one is let in
	a.await("up", kind(pair.Up))
}

// Keys that come later are found; both keys the same is said.
func TestKeysComeLater(t *testing.T) {
	a, b := twoNodes(t)
	_ = os.Remove(filepath.Join(a.dir, "peer"))
	b.start()
	a.start()
	poll(t, "it says that it is not paired", func() bool { return a.link.Status().Problem != "" })
	a.pin(a.id.ID)
	poll(t, "it says that the keys are the same", func() bool { return a.link.Status().Problem != "" })
	a.pin(b.id.ID)
	a.await("up", kind(pair.Up))
}
