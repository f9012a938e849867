package link

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"baton/pair"
)

// Pairing needs one line to be carried from one node to the other by somebody who
// may configure both: the offering node's address and ID, and a token. The joining
// node connects; it knows the other by the ID, whatever lies between, and so shows
// the token to nobody else. The offering node knows the joining one by the token.
// Each pins the key that the other has just proved to have.

const (
	tokenBytes  = 16
	maxAttempts = 5
	maxGreeting = 512
)

// Invitation is the line.
type Invitation struct {
	Addr  netip.AddrPort
	ID    pair.ID
	Token string
}

// NewInvitation makes one with a fresh token.
func NewInvitation(addr netip.AddrPort, id pair.ID) Invitation {
	b := make([]byte, tokenBytes)
	_, _ = rand.Read(b) // never fails
	return Invitation{Addr: addr, ID: id, Token: hex.EncodeToString(b)}
}

func (i Invitation) String() string {
	return i.Addr.String() + "/" + FormatID(i.ID) + "/" + i.Token
}

// ParseInvitation reads what String wrote.
func ParseInvitation(line string) (i Invitation, err error) {
	parts := strings.Split(strings.TrimSpace(line), "/")
	if len(parts) != 3 {
		return i, errors.New("this is not the line that `baton pair init` printed: it has the form ADDRESS:PORT/sha256:KEY/TOKEN")
	}
	if i.Addr, err = netip.ParseAddrPort(parts[0]); err != nil {
		return i, fmt.Errorf("the line is damaged: %w", err)
	}
	if i.ID, err = ParseID(parts[1]); err != nil {
		return i, fmt.Errorf("the line is damaged: %w", err)
	}
	if b, err := hex.DecodeString(parts[2]); err != nil || len(b) != tokenBytes {
		return i, errors.New("the line is damaged: its token is cut or changed")
	}
	i.Token = parts[2]
	return i, nil
}

// Offer waits on ln for the node that has the invitation, and returns who it is.
// keep is called with it before it is told that it is accepted. node is this
// node's name.
func Offer(ctx context.Context, ln net.Listener, self *Identity, inv Invitation, node string, keep func(Peer) error) (Peer, error) {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	for attempts := 0; attempts < maxAttempts; {
		c, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return Peer{}, ctx.Err()
			}
			return Peer{}, fmt.Errorf("wait for the other node: %w", err)
		}
		peer, tried, err := offer(ctx, c, self, inv, node, keep)
		_ = c.Close()
		switch {
		case err == nil:
			return peer, nil
		case tried:
			attempts++
		}
	}
	return Peer{}, fmt.Errorf("%d nodes came with a wrong token: somebody else tries to pair; begin again", maxAttempts)
}

var errToken = errors.New("wrong token")

// offer serves one connection. tried: it came as far as to show a token.
func offer(ctx context.Context, raw net.Conn, self *Identity, inv Invitation, node string, keep func(Peer) error) (p Peer, tried bool, err error) {
	accept := func(id pair.ID) error {
		if id == self.ID {
			return errors.New("the other node has this node's own key")
		}
		p.ID = id
		return nil
	}
	c := tls.Server(raw, self.config(enrolALPN, accept))
	_ = raw.SetDeadline(time.Now().Add(handshakeLimit))
	if err := c.HandshakeContext(ctx); err != nil {
		return p, false, err
	}
	token, name, err := readGreeting(c)
	if err != nil {
		return p, false, err
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(inv.Token)) != 1 {
		_, _ = fmt.Fprintf(c, "no wrong token\n")
		return p, true, errToken
	}
	p.Node = clean(name)
	if err := keep(p); err != nil {
		_, _ = fmt.Fprintf(c, "no it cannot be kept there\n")
		return p, true, err
	}
	if _, err := fmt.Fprintf(c, "ok %s\n", clean(node)); err != nil {
		return p, true, err
	}
	return p, true, c.CloseWrite()
}

// Join brings this node to the one that made the invitation, and returns who that
// is.
func Join(ctx context.Context, self *Identity, inv Invitation, node string) (Peer, error) {
	if inv.ID == self.ID {
		return Peer{}, errors.New("this line was made on this node (or its key was copied): run `baton pair join` on the other one")
	}
	ctx, cancel := context.WithTimeout(ctx, 2*handshakeLimit)
	defer cancel()
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", inv.Addr.String())
	if err != nil {
		return Peer{}, fmt.Errorf("%w\nis `baton pair init` still waiting there, and may this host connect to it?", err)
	}
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(2 * handshakeLimit))
	c := tls.Client(raw, self.config(enrolALPN, only(inv.ID)))
	if err := c.HandshakeContext(ctx); err != nil {
		return Peer{}, fmt.Errorf("TLS with %v: %w", inv.Addr, err)
	}
	if _, err := fmt.Fprintf(c, "%s %s\n", inv.Token, clean(node)); err != nil {
		return Peer{}, err
	}
	word, rest, err := readGreeting(c)
	switch {
	case err != nil:
		return Peer{}, fmt.Errorf("%v does not answer: %w", inv.Addr, err)
	case word != "ok":
		return Peer{}, fmt.Errorf("%v refused: %q", inv.Addr, rest)
	}
	return Peer{ID: inv.ID, Node: clean(rest)}, nil
}

// readGreeting reads `WORD REST` and a newline.
func readGreeting(r io.Reader) (word, rest string, err error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxGreeting)).ReadString('\n')
	if err != nil {
		return "", "", err
	}
	word, rest, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	return word, rest, nil
}

// clean keeps of a name what a terminal and a line of a file can hold.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, name)
	return name[:min(len(name), 64)]
}
