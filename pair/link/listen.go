package link

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// listen takes connections until ctx ends. A port that cannot be had is told once
// and tried again.
func (l *Link) listen(ctx context.Context, t *trust) {
	lc := net.ListenConfig{Control: tune, KeepAliveConfig: keepAlives()}
	last := ""
	for {
		ln, err := lc.Listen(ctx, "tcp", l.opt.Listen.String())
		switch {
		case err == nil:
			l.listenError.Store(nil)
			l.accept(ctx, ln, t)
		case ctx.Err() == nil && err.Error() != last:
			last = err.Error()
			l.listenError.Store(&last)
			l.opt.Log.Error("the pair link takes no connections", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(listenRetry):
		}
	}
}

func (l *Link) accept(ctx context.Context, ln net.Listener, t *trust) {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	defer ln.Close()
	slots := make(chan struct{}, maxHandshakes)
	for {
		// No slot, no accept: the others wait in the kernel's queue. Closing them
		// would tell the peer that nobody lives here.
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		raw, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			<-slots
			l.opt.Log.Warn("the pair link cannot take a connection", "err", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(listenRetry):
			}
			continue
		}
		if !l.fromPeer(raw) {
			l.strangers.Add(1)
			_ = raw.Close()
			<-slots
			continue
		}
		l.tasks.Go(func() { l.welcome(ctx, raw, t, func() { <-slots }) })
	}
}

func (l *Link) fromPeer(c net.Conn) bool {
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	return err == nil && from.Addr().Unmap().WithZone("") == l.opt.Peer.Addr().Unmap().WithZone("")
}

// welcome authenticates a connection and runs it. authenticated is called when it
// holds no slot any longer.
func (l *Link) welcome(ctx context.Context, raw net.Conn, t *trust, authenticated func()) {
	s := &socket{Conn: raw}
	c := tls.Server(s, t.self.config(linkALPN, only(t.peer.ID)))
	limit, cancel := context.WithTimeout(ctx, handshakeLimit)
	err := c.HandshakeContext(limit)
	cancel()
	authenticated()
	if err != nil {
		_ = s.Close()
		l.refused.Add(1)
		if ctx.Err() == nil && l.quiet.pass() {
			l.opt.Log.Warn("a connection did not prove to come from the peer", "from", raw.RemoteAddr(), "err", err)
		}
		return
	}
	l.adopt(ctx, s, c, false)
}

// limiter lets one message a minute pass: what an outsider can cause must not fill
// the log.
type limiter struct{ next atomic.Int64 }

func (l *limiter) pass() bool {
	now := time.Now().UnixNano()
	next := l.next.Load()
	return now >= next && l.next.CompareAndSwap(next, now+int64(time.Minute))
}
