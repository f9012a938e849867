package sample

import "encoding/binary"

// hello is what a TLS client hello says (RFC 8446 section 4.1.2), read without
// taking part in the handshake.
type hello struct {
	version     uint16 // of the hello itself; TLS 1.3 writes 1.2 there
	sni         []byte // nil: not there
	alpn        []byte // the list as it came, nil: not there
	groups      bool
	ticket      bool
	ticketBytes int
}

const (
	recordHandshake = 22
	typeClientHello = 1
	typeServerHello = 2

	extServerName    = 0
	extGroups        = 10
	extALPN          = 16
	extSessionTicket = 35
)

// clientHello reads the hello that the client's bytes begin with. It waits for one
// that is not complete, and says no to what is none.
func (c *Ctx) clientHello(h *hello) bool {
	b := c.In.B
	if len(b) < 5 {
		if len(b) > 0 && b[0] != recordHandshake {
			return false
		}
		return c.wait(&c.In)
	}
	if b[0] != recordHandshake || b[1] < 3 {
		return false
	}
	record := int(binary.BigEndian.Uint16(b[3:]))
	body := b[5:min(len(b), 5+record)]
	if len(body) > 0 && body[0] != typeClientHello {
		return false
	}
	// The message ends with its record: hellos in several records are not read.
	if len(body) < record {
		return c.wait(&c.In)
	}
	return h.parse(body)
}

func (h *hello) parse(b []byte) bool {
	r := reader{b: b}
	r.skip(1)
	r = reader{b: r.take(int(r.uint(3)))} // a length beyond the record makes r bad
	h.version = uint16(r.uint(2))
	r.skip(32)
	r.skip(int(r.uint(1))) // session
	r.skip(int(r.uint(2))) // cipher suites
	r.skip(int(r.uint(1))) // compression
	if r.bad || h.version < 0x0300 {
		return false
	}
	if len(r.b) == 0 {
		return true
	}
	r = reader{b: r.take(int(r.uint(2)))}
	for len(r.b) > 0 && !r.bad {
		kind := r.uint(2)
		data := r.take(int(r.uint(2)))
		if r.bad {
			break
		}
		switch kind {
		case extServerName:
			n := reader{b: data}
			n.skip(2)
			if n.uint(1) == 0 {
				if name := n.take(int(n.uint(2))); !n.bad {
					h.sni = name
				}
			}
		case extALPN:
			n := reader{b: data}
			if list := n.take(int(n.uint(2))); !n.bad {
				h.alpn = list
			}
		case extGroups:
			h.groups = true
		case extSessionTicket:
			h.ticket, h.ticketBytes = true, len(data)
		}
	}
	return true
}

// reader takes big-endian pieces off b; once something is missing it is bad and
// gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) skip(n int) { r.take(n) }

func (r *reader) uint(n int) (v uint32) {
	for _, b := range r.take(n) {
		v = v<<8 | uint32(b)
	}
	return v
}

func runHelloType(c *Ctx, _ []Arg, s *Sample) bool {
	var h hello
	return c.clientHello(&h) && s.setInt(typeClientHello)
}

func runHelloSNI(c *Ctx, _ []Arg, s *Sample) bool {
	var h hello
	return c.clientHello(&h) && h.sni != nil && s.setStr(h.sni)
}

// runHelloALPN gives the offered protocols one after the other in conditions, and
// the first one elsewhere.
func runHelloALPN(c *Ctx, _ []Arg, s *Sample) bool {
	var h hello
	if !c.clientHello(&h) || h.alpn == nil {
		return false
	}
	r := reader{b: h.alpn}
	if c.iterate {
		r.skip(c.cur.off)
	}
	name := r.take(int(r.uint(1)))
	if c.iterate {
		c.cur.off += 1 + len(name)
		c.more = !r.bad
	}
	return s.setStr(name) && !r.bad
}

func runHelloCurves(c *Ctx, _ []Arg, s *Sample) bool {
	var h hello
	return c.clientHello(&h) && s.setBool(h.groups)
}

func runHelloTicket(c *Ctx, _ []Arg, s *Sample) bool {
	var h hello
	switch {
	case !c.clientHello(&h):
		return false
	case !h.ticket:
		return s.setInt(0)
	case h.ticketBytes == 0:
		return s.setInt(1)
	}
	return s.setInt(2)
}

func runHelloVersion(c *Ctx, _ []Arg, s *Sample) bool {
	var h hello
	return c.clientHello(&h) && s.setInt(int64(h.version>>8)<<16|int64(h.version&0xff))
}

func runServerHelloType(c *Ctx, _ []Arg, s *Sample) bool {
	b := c.Out.B
	if len(b) < 6 {
		return c.wait(&c.Out)
	}
	return b[0] == recordHandshake && b[1] >= 3 && (b[5] == typeServerHello || b[5] == typeClientHello) && s.setInt(int64(b[5]))
}
