package proxy

import (
	"io"
	"net/netip"
	"strconv"

	"baton/lb/engine"
	"baton/lb/logfmt"
	"baton/lb/proxyproto"
	"baton/lb/sample"
	"baton/lb/spec"
)

// arrival is how a client came: through which bind, and what a PROXY header told. It
// stays with the session object, so that what it holds is allocated once.
type arrival struct {
	bind      *spec.Bind // nil: not through a listener
	expected  bool       // a rule wants a PROXY header (tcp-request connection expect-proxy)
	proxied   bool       // one came
	cut       bool       // something else came in its place, or a rule refuses it: it ends with a reset
	authority []byte     // its authority TLV; empty: none
	uniqueID  []byte     // its unique-id TLV
}

func (a *arrival) reset(bind *spec.Bind) {
	a.bind, a.expected, a.proxied, a.cut = bind, false, false, false
	a.authority, a.uniqueID = a.authority[:0], a.uniqueID[:0]
}

// describe fills in what expressions see of the client's connection.
func (a *arrival) describe(c *sample.Conn, src netip.AddrPort, client *engine.Conn) {
	*c = sample.Conn{Src: src, Dst: client.LocalAddr(), Proxied: a.proxied}
	if len(a.authority) > 0 {
		c.Authority = a.authority
	}
	if len(a.uniqueID) > 0 {
		c.ProxyID = a.uniqueID
	}
}

// expectsProxy reports whether the connection has to begin with a PROXY header.
func (a *arrival) expectsProxy() bool { return a.expected || a.bind != nil && a.bind.AcceptProxy }

// bindName is the bind's name in logs: its number among the frontend's where it has none.
func (a *arrival) bindName(fe *Frontend) string {
	if a.bind == nil {
		return "0"
	}
	if a.bind.Name != "" {
		return a.bind.Name
	}
	return strconv.Itoa(a.bindNumber(fe))
}

// bindNumber counts from 1; 0: the connection came through none of them.
func (a *arrival) bindNumber(fe *Frontend) int {
	for i := range fe.Spec.Binds {
		if a.bind == &fe.Spec.Binds[i] {
			return i + 1
		}
	}
	return 0
}

// readProxy reads the PROXY header that the connection has to begin with, and puts the
// addresses that it tells in the place of the connection's. What came behind it is
// buf.B[from:to]; buf is nil where nothing did. It reports false when there was no
// header, which is counted and logged: the connection ends, with a reset where something
// else came (arrival.cut), as in HAProxy.
//
// As in HAProxy the header has to be there at once, whole.
func (w *Worker) readProxy(t *engine.Task, c *engine.Conn, fe *Frontend, a *arrival, src *netip.AddrPort) (buf *engine.Buffer, from, to int, ok bool) {
	deadline := after(t.Now(), fe.Spec.Timeouts.Client)
	n := 0
	for n == 0 {
		if c.Await(t, deadline) != nil {
			w.refuseProxy(fe, a, c, *src, sample.ProxyTimeout, false)
			return nil, 0, 0, false
		}
		buf = w.Loop.Get()
		var err error
		n, err = c.TryRead(buf.B[:maxHead])
		if n == 0 {
			w.Loop.Put(buf)
		}
		if err != nil {
			reason := sample.ProxyFailed
			if err == io.EOF {
				reason = sample.ProxyClosed
			}
			w.refuseProxy(fe, a, c, *src, reason, false)
			return nil, 0, 0, false
		}
	}
	h, used, verdict := proxyproto.Parse(buf.B[:n])
	if verdict != proxyproto.Valid {
		w.Loop.Put(buf)
		a.cut = true
		w.refuseProxy(fe, a, c, *src, proxyErrors[verdict], true)
		return nil, 0, 0, false
	}
	a.proxied = true
	if h.Src.IsValid() {
		*src = h.Src
		c.SetLocalAddr(h.Dst)
	}
	a.authority = append(a.authority, h.Authority...)
	a.uniqueID = append(a.uniqueID, h.UniqueID...)
	if used == n {
		w.Loop.Put(buf)
		return nil, 0, 0, true
	}
	return buf, used, n, true
}

// proxyErrors are what the log calls headers that are none.
var proxyErrors = [...]sample.ConnError{proxyproto.Truncated: sample.ProxyCut, proxyproto.Foreign: sample.ProxyForeign, proxyproto.Invalid: sample.ProxyInvalid}

// refuseProxy counts a connection without a header and logs it, which `option
// dontlognull` spares those that sent nothing.
func (w *Worker) refuseProxy(fe *Frontend, a *arrival, c *engine.Conn, src netip.AddrPort, reason sample.ConnError, spoke bool) {
	fe.Errors.Add(1)
	if !spoke && fe.Spec.DontLogNull {
		return
	}
	if !fe.logs() {
		return
	}
	w.rec = logfmt.Record{Client: src, Date: w.Loop.Now().Wall(), Dates: &w.dates, Frontend: fe.Spec.Name, Bind: a.bindName(fe), Message: reason.String()}
	w.sessionError(fe, a, c)
	w.ctx.Client.Err = reason
	w.send(fe, &w.rec, spec.LogLevelAsIs, nil)
}

// introduce sends the PROXY header that the server of a new connection wants.
func (k *link) introduce(t *engine.Task, c *engine.Conn, client *engine.Conn) error {
	p := k.server.Spec.SendProxy
	if p == nil {
		return nil
	}
	buf := t.Loop().Get()
	defer t.Loop().Put(buf)
	head := buf.B[:0]
	if p.Version == 1 {
		head = proxyproto.AppendV1(head, k.from, client.LocalAddr())
	} else {
		x := proxyproto.Extra{SSL: p.SSL, CRC32C: p.CRC32C}
		if p.Authority {
			x.Authority = k.authority
		}
		if p.UniqueID {
			x.UniqueID = k.uniqueID
		}
		head = proxyproto.AppendV2(head, k.from, client.LocalAddr(), &x)
	}
	return c.Write(t, head, nil, after(t.Now(), k.connectTimeout()))
}
