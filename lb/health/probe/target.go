package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"baton/lb/health"
	"baton/lb/proxyproto"
	"baton/lb/spec"
)

// Target is what a check does and how long it may take.
type Target struct {
	Addr    netip.AddrPort
	HTTP    *spec.HTTPCheck // nil: a connection is enough
	Proxy   *spec.SendProxy // the PROXY header that goes first; nil: none
	Connect time.Duration   // limit of the connection; 0: none but Total
	Answer  time.Duration   // limit of what comes after it; 0: none but Total
	Total   time.Duration   // limit of the whole; 0: none
}

// TargetOf is the target of a server's checks. With `timeout check` the connection
// may take the shorter of `timeout connect` and inter, the answer the timeout's time
// again; without it inter bounds both together.
func TargetOf(server netip.AddrPort, c *spec.Check, http *spec.HTTPCheck, to *spec.Timeouts) Target {
	addr, port := server.Addr(), server.Port()
	if c.Addr.IsValid() {
		addr = c.Addr
	}
	if c.Port != 0 {
		port = c.Port
	}
	t := Target{Addr: netip.AddrPortFrom(addr, port), HTTP: http}
	if to.Check == 0 {
		t.Total = c.Inter
		return t
	}
	t.Connect, t.Answer = c.Inter, to.Check
	if to.Connect > 0 {
		t.Connect = min(t.Connect, to.Connect)
	}
	return t
}

// Check does one check. When ctx ends before it, the result means nothing.
func (t *Target) Check(ctx context.Context) health.Result {
	begun := time.Now()
	if t.Total > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, begun.Add(t.Total))
		defer cancel()
	}
	r := t.check(ctx)
	r.Duration = time.Since(begun)
	return r
}

func (t *Target) check(ctx context.Context) health.Result {
	d := net.Dialer{Timeout: t.Connect, KeepAlive: -1}
	c, err := d.DialContext(ctx, "tcp", t.Addr.String())
	if err != nil {
		return connectFailure(err)
	}
	defer c.Close()
	// A reset leaves no TIME_WAIT behind, and a server that talks on is told to stop.
	_ = c.(*net.TCPConn).SetLinger(0)
	if err := t.introduce(c); err != nil {
		return exchangeFailure(err)
	}
	if t.HTTP == nil {
		return health.Result{Status: health.L4OK}
	}
	if t.Answer > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.Answer)
		defer cancel()
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	return exchange(c, t.HTTP)
}

// introduce sends the PROXY header of a check: with version 1 the addresses of its own
// connection, with version 2 that it speaks for no client, as HAProxy does.
func (t *Target) introduce(c net.Conn) error {
	if t.Proxy == nil {
		return nil
	}
	var head []byte
	if t.Proxy.Version == 1 {
		local, _ := netip.ParseAddrPort(c.LocalAddr().String())
		head = proxyproto.AppendV1(nil, local, t.Addr)
	} else {
		head = proxyproto.AppendV2(nil, netip.AddrPort{}, netip.AddrPort{}, &proxyproto.Extra{CRC32C: t.Proxy.CRC32C})
	}
	_, err := c.Write(head)
	return err
}

// ProxyOf is the PROXY header of a server's checks: that of its traffic, unless they go
// to another address or port and check-send-proxy is not given.
func ProxyOf(s *spec.Server) *spec.SendProxy {
	elsewhere := s.Check.Port != 0 || s.Check.Addr.IsValid()
	switch {
	case s.CheckProxy && s.SendProxy == nil:
		return &spec.SendProxy{Version: 1}
	case elsewhere && !s.CheckProxy:
		return nil
	}
	return s.SendProxy
}

func connectFailure(err error) health.Result {
	if isTimeout(err) {
		return health.Result{Status: health.L4Timeout}
	}
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOBUFS),
		errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return health.Result{Status: health.SocketError, Info: reason(err)} // our side's trouble
	}
	return health.Result{Status: health.L4Failed, Info: reason(err)}
}

// exchangeFailure is that of an established connection.
func exchangeFailure(err error) health.Result {
	if isTimeout(err) {
		return health.Result{Status: health.L7Timeout}
	}
	return health.Result{Status: health.SocketError, Info: reason(err)}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}

// reason is the system's word for an error, with a capital as C's strerror has it.
func reason(err error) string {
	s := err.Error()
	var errno syscall.Errno
	if errors.As(err, &errno) {
		s = errno.Error()
	}
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
