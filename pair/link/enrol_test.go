package link

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"baton/pair"
)

func newKey(t *testing.T) *Identity {
	t.Helper()
	id, _, err := Create(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

type offered struct {
	peer Peer
	err  error
}

func startOffer(t *testing.T, self *Identity) (Invitation, <-chan offered) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inv := NewInvitation(netip.MustParseAddrPort(ln.Addr().String()), self.ID)
	done := make(chan offered, 1)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() {
		p, err := Offer(ctx, ln, self, inv, "lb1", func(Peer) error { return nil })
		_ = ln.Close()
		done <- offered{p, err}
	}()
	return inv, done
}

func TestPairing(t *testing.T) {
	a, b := newKey(t), newKey(t)
	inv, done := startOffer(t, a)
	again, err := ParseInvitation(" " + inv.String() + "\n")
	if err != nil || again != inv {
		t.Fatalf("%v, %v", again, err)
	}
	peer, err := Join(t.Context(), b, again, "lb2 \x1b[31m")
	if err != nil || peer != (Peer{a.ID, "lb1"}) {
		t.Fatalf("joined %+v, %v", peer, err)
	}
	if got := <-done; got.err != nil || got.peer != (Peer{b.ID, "lb2[31m"}) {
		t.Errorf("offered to %+v", got)
	}
}

func TestWrongTokens(t *testing.T) {
	a, b := newKey(t), newKey(t)
	inv, done := startOffer(t, a)
	wrong := inv
	wrong.Token = strings.Repeat("0", len(inv.Token))
	for range maxAttempts {
		if _, err := Join(t.Context(), b, wrong, "x"); err == nil || !strings.Contains(err.Error(), "wrong token") {
			t.Fatalf("joined with a wrong token: %v", err)
		}
	}
	if got := <-done; got.err == nil {
		t.Error("the offer survives")
	}
}

// Somebody in the middle has another key: the token is not shown to him.
func TestImpostor(t *testing.T) {
	a, m, b := newKey(t), newKey(t), newKey(t)
	inv, done := startOffer(t, m)
	inv.ID = a.ID
	if _, err := Join(t.Context(), b, inv, "x"); err == nil || !strings.Contains(err.Error(), FormatID(m.ID)) {
		t.Errorf("joined an impostor: %v", err)
	}
	select {
	case got := <-done:
		t.Errorf("he got %+v", got)
	default:
	}
}

func TestOwnLine(t *testing.T) {
	a := newKey(t)
	if _, err := Join(t.Context(), a, NewInvitation(netip.MustParseAddrPort("127.0.0.1:1"), a.ID), "x"); err == nil {
		t.Error("joined itself")
	}
}

func TestDamagedLines(t *testing.T) {
	good := NewInvitation(netip.MustParseAddrPort("10.0.0.1:1112"), pair.ID{1}).String()
	for _, line := range []string{"", "x", good[:len(good)-1], good[1:], strings.Replace(good, "sha256", "md5", 1), good + "/x"} {
		if _, err := ParseInvitation(line); err == nil && line != good[1:] {
			t.Errorf("accepted %q", line)
		}
	}
}

func TestKeyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	a, made, err := Create(path)
	if err != nil || !made {
		t.Fatal(err)
	}
	b, made, err := Create(path)
	if err != nil || made || a.ID != b.ID {
		t.Fatalf("made again: %v, %v", made, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "everybody") {
		t.Errorf("an open key is taken: %v", err)
	}
	if err := os.WriteFile(path, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Create(path); err == nil {
		t.Error("garbage is taken, or replaced")
	}
	pin := filepath.Join(t.TempDir(), "peer")
	if err := SavePeer(pin, Peer{a.ID, "lb2"}); err != nil {
		t.Fatal(err)
	}
	if p, err := LoadPeer(pin); err != nil || p != (Peer{a.ID, "lb2"}) {
		t.Errorf("%+v, %v", p, err)
	}
}
