package probe

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"

	"baton/internal/sys"
	"baton/lb/health"
	"baton/lb/spec"
)

// maxResponse is how much of a response is looked at: HAProxy's default tune.bufsize.
const maxResponse = 16384

// exchange is one check under way: it goes through the steps of its plan until one
// fails. The words that it tells of failures are those of HAProxy 2.6.
type exchange struct {
	target *Target
	plan   *spec.CheckPlan
	ctx    context.Context

	conn   net.Conn // of the last connect; nil: none yet
	unhook func()   // ends the watch over conn's time
	linger bool

	buf  []byte // what has come since the last connect or send
	n    int
	eof  bool
	head bool // the last request was a HEAD: its answer has no body

	facts *sampled // nil: no expression has been looked at
}

func (x *exchange) run() health.Result {
	result := health.Result{Status: health.L4OK}
	for i := range x.plan.Steps {
		s := &x.plan.Steps[i]
		ok := true
		switch {
		case s.Connect != nil:
			result, ok = x.connect(s)
		case s.Send != nil:
			result, ok = x.send(s)
		case s.Request != nil:
			result, ok = x.request(s)
		case s.Expect != nil:
			result, ok = x.expect(s)
		case s.SetVar != nil:
			x.setVar(s.SetVar)
		}
		if !ok {
			return result
		}
	}
	if x.plan.Kind == spec.CheckTCP && result.Info == "" && x.explicit() {
		result.Info = "(tcp-check)"
	}
	return result
}

// explicit reports whether the plan is more than a connection.
func (x *exchange) explicit() bool { return len(x.plan.Steps) > 1 || x.plan.Steps[0].Number > 0 }

// connect leaves the present connection for a new one.
func (x *exchange) connect(s *spec.CheckStep) (health.Result, bool) {
	x.close()
	c, t := s.Connect, x.target
	x.linger = c.Linger
	network, address := "tcp", x.address(c).String()
	if t.Socket != "" && !c.Addr.IsValid() {
		network, address = "unix", dialled(t.Socket)
	}
	conn, err := x.dial(network, address)
	if err != nil {
		r := connectFailure(err)
		r.Info += x.where(s)
		return r, false
	}
	x.conn = conn
	x.watch()
	var proxy *spec.SendProxy
	switch {
	case c.SendProxy:
		proxy = &spec.SendProxy{Version: 1}
	case c.Default:
		proxy = t.Proxy
	}
	if proxy != nil {
		if _, err := conn.Write(introduction(proxy, conn)); err != nil {
			return x.broken(s, err), false
		}
	}
	x.forget()
	return health.Result{Status: health.L4OK}, true
}

// dial opens a connection from where the server's traffic comes from.
func (x *exchange) dial(network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: x.target.Connect, KeepAlive: -1}
	from := x.target.From
	if from == nil || network == "unix" {
		return d.DialContext(x.ctx, network, address)
	}
	for tries := from.Tries; ; tries-- {
		d.Control = from.Next().Control
		conn, err := d.DialContext(x.ctx, network, address)
		if tries <= 1 || !errors.Is(err, sys.EADDRINUSE) && !errors.Is(err, sys.EADDRNOTAVAIL) {
			return conn, err
		}
	}
}

// dialled is the name of a unix socket as package net takes it: @ begins an abstract one.
func dialled(socket string) string {
	switch socket[0] {
	case 0:
		return "@" + socket[1:]
	case '@':
		return "./" + socket
	}
	return socket
}

// address is where a step connects to. A port that an expression does not give is the
// one of the server's checks.
func (x *exchange) address(c *spec.CheckConnect) netip.AddrPort {
	addr, port := x.target.Addr.Addr(), x.target.Addr.Port()
	if c.Addr.IsValid() {
		addr = c.Addr
	}
	switch {
	case c.Port != 0:
		port = c.Port
	case c.PortExpr != nil:
		if n, ok := x.number(c.PortExpr); ok {
			port = uint16(n)
		}
	}
	return netip.AddrPortFrom(addr, port)
}

// watch ends reads and writes when the check's time is over.
func (x *exchange) watch() {
	ctx, cancel := x.ctx, context.CancelFunc(func() {})
	if x.target.Answer > 0 {
		ctx, cancel = context.WithTimeout(ctx, x.target.Answer)
	}
	conn := x.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	x.unhook = func() {
		stop()
		cancel()
	}
}

// close ends the present connection. A reset leaves no TIME_WAIT behind, and a server
// that talks on is told to stop; `linger` asks for an orderly end.
func (x *exchange) close() {
	if x.conn == nil {
		return
	}
	x.unhook()
	if tcp, ok := x.conn.(*net.TCPConn); ok && !x.linger {
		_ = tcp.SetLinger(0)
	}
	x.conn.Close()
	x.conn = nil
}

// forget begins a new answer.
func (x *exchange) forget() { x.n, x.eof = 0, false }

func (x *exchange) send(s *spec.CheckStep) (health.Result, bool) {
	b, ok := x.text(s.Send)
	if !ok {
		return health.Result{Status: health.L7Invalid, Info: "tcp-check send : failed to build log-format string at step " + strconv.Itoa(s.Number)}, false
	}
	return x.write(s, b)
}

func (x *exchange) request(s *spec.CheckStep) (health.Result, bool) {
	x.head = s.Request.Method == "HEAD"
	return x.write(s, x.httpRequest(s.Request))
}

func (x *exchange) write(s *spec.CheckStep, b []byte) (health.Result, bool) {
	if _, err := x.conn.Write(b); err != nil {
		return x.broken(s, err), false
	}
	x.forget()
	return health.Result{Status: health.L7OK}, true
}

// expect reads until the expectation has its verdict.
func (x *exchange) expect(s *spec.CheckStep) (health.Result, bool) {
	if x.buf == nil {
		x.buf = make([]byte, maxResponse)
	}
	for {
		last := x.eof || x.n == len(x.buf)
		if x.n > 0 || last {
			if r, v := x.judge(s, last); v != undecided {
				return r, v == met
			}
		}
		m, err := x.conn.Read(x.buf[x.n:])
		x.n += m
		x.eof = errors.Is(err, io.EOF)
		if err != nil && !x.eof {
			return x.broken(s, err), false
		}
	}
}

// broken is the result of a step whose connection ended or whose time is over.
func (x *exchange) broken(s *spec.CheckStep, err error) health.Result {
	if !isTimeout(err) {
		return health.Result{Status: health.SocketError, Info: reason(err) + x.where(s)}
	}
	status := health.L7Timeout
	if e := s.Expect; e != nil && e.TimeoutStatus != "" {
		status = health.StatusOf(e.TimeoutStatus)
	}
	return health.Result{Status: status, Info: x.where(s)}
}

// where tells of a step of tcp-check.
func (x *exchange) where(s *spec.CheckStep) string {
	switch {
	case x.plan.Kind != spec.CheckTCP || x.target.Plan == nil:
		return ""
	case s.Number == 0:
		return " at initial connection step of tcp-check"
	}
	text := " at step " + strconv.Itoa(s.Number) + " of tcp-check ("
	switch {
	case s.Connect != nil && s.Connect.Port != 0:
		text += "connect port " + strconv.Itoa(int(s.Connect.Port))
	case s.Connect != nil:
		text += "connect"
	case s.Send != nil:
		text += "send"
	case s.Expect != nil:
		text += "expect " + describe(s.Expect)
	}
	text += ")"
	if s.Comment != "" {
		text += " comment: '" + s.Comment + "'"
	}
	return text
}

// text returns literal bytes or those of a format; ok is false when its digits are not
// hexadecimal.
func (x *exchange) text(t *spec.CheckText) (b []byte, ok bool) {
	if t.Format == nil {
		return []byte(t.Text), true
	}
	b = []byte(x.format(t.Format))
	if !t.Hex {
		return b, true
	}
	b, err := hex.DecodeString(string(b))
	return b, err == nil
}
