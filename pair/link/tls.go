package link

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"baton/internal/sys"
	"baton/pair"
)

const (
	// handshakeLimit bounds what an unauthenticated connection may take.
	handshakeLimit = 3 * time.Second

	linkALPN   = "baton-pair/1"
	enrolALPN  = "baton-pair-join/1"
	keepAlive  = time.Second
	keepProbes = 3
)

// wrongKey is another key than the pinned one.
type wrongKey struct{ got pair.ID }

func (e *wrongKey) Error() string {
	return "the other end has the key " + FormatID(e.got) + ", which is not the one that this node is paired with"
}

// config is the same for both ends. accept decides about the other end's key.
func (id *Identity) config(alpn string, accept func(pair.ID) error) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{id.cert},
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true,
		NextProtos:             []string{alpn},
		// No authority vouches for these keys: VerifyConnection compares with the pin.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			switch {
			case s.NegotiatedProtocol != alpn:
				return fmt.Errorf("the other end does not speak %s", alpn)
			case len(s.PeerCertificates) == 0:
				return errors.New("the other end shows no key")
			}
			return accept(idOf(s.PeerCertificates[0]))
		},
	}
}

// only accepts one key.
func only(pin pair.ID) func(pair.ID) error {
	return func(got pair.ID) error {
		if got != pin {
			return &wrongKey{got}
		}
		return nil
	}
}

// socket notes what the kernel said at the end of a connection: TLS alone would
// not tell a bare FIN from an orderly close_notify.
type socket struct {
	net.Conn
	kernelEnd atomic.Bool // FIN or RST came
}

func (s *socket) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if errors.Is(err, io.EOF) || errors.Is(err, sys.ECONNRESET) {
		s.kernelEnd.Store(true)
	}
	return n, err
}

// tune makes a dead path known to the local kernel about as soon as to the
// Machine, so that nothing lingers that would be reset much later.
func tune(_, _ string, c syscall.RawConn) error {
	var err error
	if cerr := c.Control(func(fd uintptr) { err = sys.FD(fd).SetUserTimeout(2 * pair.SilenceLimit) }); cerr != nil {
		return cerr
	}
	return err
}

func keepAlives() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive, Count: keepProbes}
}
