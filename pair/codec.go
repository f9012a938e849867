package pair

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

const headerLen = 4

// Append appends the frame of a message to dst.
func Append(dst []byte, m Message) []byte {
	w := writer{b: append(dst, byte(m.Kind()), 0, 0, 0)}
	m.append(&w)
	n := len(w.b) - len(dst) - headerLen
	if n > MaxPayload {
		panic(fmt.Sprintf("BUG: a message of %d bytes", n))
	}
	frame := w.b[len(dst):]
	frame[1], frame[2], frame[3] = byte(n>>16), byte(n>>8), byte(n)
	return w.b
}

// Next takes the first frame of b. n is its length, 0 when b does not hold all of
// it yet. m is nil for a kind that this version does not know. The message keeps
// nothing of b. An error means that the stream cannot be read on.
func Next(b []byte) (m Message, n int, err error) {
	if len(b) < headerLen {
		return nil, 0, nil
	}
	size := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	if size > MaxPayload {
		return nil, 0, fmt.Errorf("message of %d bytes: at most %d are allowed", size, MaxPayload)
	}
	if len(b) < headerLen+size {
		return nil, 0, nil
	}
	m, err = parse(Kind(b[0]), b[headerLen:headerLen+size])
	return m, headerLen + size, err
}

func parse(k Kind, payload []byte) (Message, error) {
	r := &reader{b: payload}
	var m Message
	switch k {
	case KindHello:
		m = readHello(r)
	case KindState:
		m = readState(r)
	case KindGoodbye:
		m = Goodbye{Why: Farewell(r.byte())}
	case KindTakeover:
		m = Takeover{ID: r.uint32(), Key: r.key(), Force: r.bool()}
	case KindAnswer:
		m = Answer{ID: r.uint32(), Accepted: r.bool(), Reason: r.text()}
	case KindCancel:
		m = Cancel{ID: r.uint32(), Key: r.key()}
	case KindHeartbeat:
		m = Heartbeat{}
	default:
		return nil, nil
	}
	if r.short {
		return nil, fmt.Errorf("message of kind %d: %w", k, errShort)
	}
	return m, nil
}

var errShort = errors.New("it ends too early")

func (h Hello) append(w *writer) {
	w.uint16(h.Protocol)
	w.b = binary.BigEndian.AppendUint64(w.b, h.Incarnation)
	w.text(h.Version)
	w.text(h.Node)
	list(w, h.Instances, func(c InstanceConfig) {
		w.key(c.Key)
		w.uint32(uint32(c.Interval.Milliseconds()))
		w.b = append(w.b, c.Addresses[:]...)
		w.b = append(w.b, c.Protocol[:]...)
	})
}

func readHello(r *reader) Hello {
	h := Hello{Protocol: r.uint16(), Incarnation: r.uint64(), Version: r.text(), Node: r.text()}
	h.Instances = records(r, func(r *reader) InstanceConfig {
		c := InstanceConfig{Key: r.key(), Interval: time.Duration(r.uint32()) * time.Millisecond}
		copy(c.Addresses[:], r.take(len(c.Addresses)))
		copy(c.Protocol[:], r.take(len(c.Protocol)))
		return c
	})
	return h
}

func (s State) append(w *writer) {
	w.bool(s.Maintenance)
	w.text(s.Reason)
	list(w, s.Instances, func(i InstanceState) {
		w.key(i.Key)
		w.b = append(w.b, byte(i.Role), i.Priority, i.Base)
		w.bool(i.Holds)
		w.addr(i.Source)
		w.addr(i.Master)
		w.text(i.Reason)
	})
	list(w, s.Backends, func(b Backend) {
		w.text(b.Name)
		w.uint16(b.Usable)
		w.uint16(b.Total)
		list(w, b.Down[:min(len(b.Down), maxNames)], w.text)
	})
}

func readState(r *reader) State {
	s := State{Maintenance: r.bool(), Reason: r.text()}
	s.Instances = records(r, func(r *reader) InstanceState {
		return InstanceState{
			Key: r.key(), Role: Role(r.byte()), Priority: r.byte(), Base: r.byte(), Holds: r.bool(),
			Source: r.addr(), Master: r.addr(), Reason: r.text(),
		}
	})
	s.Backends = records(r, func(r *reader) Backend {
		return Backend{Name: r.text(), Usable: r.uint16(), Total: r.uint16(), Down: records(r, (*reader).text)}
	})
	return s
}

func (g Goodbye) append(w *writer) { w.b = append(w.b, byte(g.Why)) }

func (t Takeover) append(w *writer) {
	w.uint32(t.ID)
	w.key(t.Key)
	w.bool(t.Force)
}

func (a Answer) append(w *writer) {
	w.uint32(a.ID)
	w.bool(a.Accepted)
	w.text(a.Reason)
}

func (c Cancel) append(w *writer) {
	w.uint32(c.ID)
	w.key(c.Key)
}

func (Heartbeat) append(*writer) {}

// writer appends fields.
type writer struct{ b []byte }

func (w *writer) uint16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }
func (w *writer) uint32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }

func (w *writer) bool(v bool) {
	if v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func (w *writer) text(s string) {
	s = s[:min(len(s), maxText)]
	w.b = append(append(w.b, byte(len(s))), s...)
}

func (w *writer) addr(a netip.Addr) {
	b := a.AsSlice() // none: a zero Addr
	w.b = append(append(w.b, byte(len(b))), b...)
}

func (w *writer) key(k Key) {
	w.text(k.Name)
	w.b = append(w.b, k.VRID, k.Family)
}

// list writes a count and each record behind its length. It stops where the
// message would become too long.
func list[T any](w *writer, all []T, each func(T)) {
	at := len(w.b)
	w.uint16(0)
	n := 0
	for _, one := range all[:min(len(all), maxRecords)] {
		from := len(w.b)
		w.uint16(0)
		each(one)
		if size := len(w.b) - from - 2; size > 0xffff || len(w.b) > MaxPayload-headerLen-1024 {
			w.b = w.b[:from]
			break
		}
		binary.BigEndian.PutUint16(w.b[from:], uint16(len(w.b)-from-2))
		n++
	}
	binary.BigEndian.PutUint16(w.b[at:], uint16(n))
}

// reader takes fields. Beyond the end it is short, and returns zeros.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.b, r.short = nil, true
		return make([]byte, n)
	}
	var v []byte
	v, r.b = r.b[:n], r.b[n:]
	return v
}

func (r *reader) byte() byte     { return r.take(1)[0] }
func (r *reader) bool() bool     { return r.byte() != 0 }
func (r *reader) uint16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) uint64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }
func (r *reader) text() string   { return string(r.take(int(r.byte()))) }
func (r *reader) key() Key       { return Key{Name: r.text(), VRID: r.byte(), Family: r.byte()} }

func (r *reader) addr() netip.Addr {
	n := int(r.byte())
	b := r.take(n)
	a, ok := netip.AddrFromSlice(b)
	if !ok && n != 0 {
		r.short = true
	}
	return a
}

// records reads what list wrote. The memory it takes follows the bytes that are
// there, not the count they promise.
func records[T any](r *reader, one func(*reader) T) []T {
	var all []T
	for range min(r.uint16(), maxRecords) {
		in := &reader{b: r.take(int(r.uint16()))}
		if r.short {
			return nil
		}
		all = append(all, one(in))
		r.short = r.short || in.short
	}
	return all
}
