package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"baton/internal/sys"
	"baton/lb/health"
	"baton/lb/proxyproto"
	"baton/lb/spec"
)

// Target is what a check does and how long it may take.
type Target struct {
	Addr    netip.AddrPort
	Socket  string          // of a server on a unix socket: where it goes; "": to Addr
	From    *From           // nil: as the kernel chooses
	Plan    *spec.CheckPlan // nil: a connection is enough
	Proxy   *spec.SendProxy // the PROXY header that goes first; nil: none
	Facts   *Facts          // nil: expressions see the answers alone
	Connect time.Duration   // limit of a connection; 0: none but Total
	Answer  time.Duration   // limit of what comes after it; 0: none but Total
	Total   time.Duration   // limit of the whole; 0: none
}

// From is where connections to a target come from.
type From struct {
	Next  func() *sys.ConnectOptions // of the next connection
	Tries int                        // how many differ: the ports of a range
}

// TargetOf is the target of a server's checks. With `timeout check` the connection
// may take the shorter of `timeout connect` and inter, the answer the timeout's time
// again; without it inter bounds both together.
func TargetOf(server netip.AddrPort, c *spec.Check, plan *spec.CheckPlan, to *spec.Timeouts) Target {
	addr, port := server.Addr(), server.Port()
	if c.Addr.IsValid() {
		addr = c.Addr
	}
	if c.Port != 0 {
		port = c.Port
	}
	t := Target{Addr: netip.AddrPortFrom(addr, port), Plan: plan}
	t.limits(c.Inter, to)
	return t
}

func (t *Target) limits(inter time.Duration, to *spec.Timeouts) {
	if to.Check == 0 {
		t.Total = inter
		return
	}
	t.Connect, t.Answer = inter, to.Check
	if to.Connect > 0 {
		t.Connect = min(t.Connect, to.Connect)
	}
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

// connectOnly is the plan of a target without one.
var connectOnly = spec.CheckPlan{Steps: []spec.CheckStep{{Connect: &spec.CheckConnect{Default: true}}}}

func (t *Target) check(ctx context.Context) health.Result {
	plan := t.Plan
	if plan == nil {
		plan = &connectOnly
	}
	x := exchange{target: t, plan: plan, ctx: ctx}
	defer x.close()
	r := x.run()
	if !r.Status.Coded() {
		r.Code = 0
	}
	return r
}

// introduction is the PROXY header that a check begins with: with version 1 the
// addresses of its own connection, with version 2 that it speaks for no client, as
// HAProxy does.
func introduction(p *spec.SendProxy, c net.Conn) []byte {
	if p.Version == 1 {
		local, _ := netip.ParseAddrPort(c.LocalAddr().String())
		remote, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		return proxyproto.AppendV1(nil, local, remote)
	}
	return proxyproto.AppendV2(nil, netip.AddrPort{}, netip.AddrPort{}, &proxyproto.Extra{CRC32C: p.CRC32C})
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

// SocketOf is the unix socket that checks of a server go to unless they have an address of
// their own; "": none.
func SocketOf(s *spec.Server, own netip.Addr) string {
	if own.IsValid() {
		return ""
	}
	return s.Socket
}

func connectFailure(err error) health.Result {
	if isTimeout(err) {
		return health.Result{Status: health.L4Timeout}
	}
	switch {
	case errors.Is(err, syscall.ENOENT): // a unix socket that nobody has made
		return health.Result{Status: health.SocketError, Info: "General socket error (" + reason(err) + ")"}
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOBUFS),
		errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return health.Result{Status: health.SocketError, Info: reason(err)} // our side's trouble
	}
	return health.Result{Status: health.L4Failed, Info: reason(err)}
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
