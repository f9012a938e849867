package sample

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// typeConverters write values in other ways: hexadecimal, base64, pieces.
var typeConverters = []converter{
	{"b64dec", nil, 0, Str, Bin, decode64(base64.StdEncoding), nil, "decode base64"},
	{"base64", nil, 0, Bin, Str, encode64(base64.StdEncoding), nil, "encode as base64"},
	{"base2", nil, 0, Bin, Str, runBase2, nil, "write as binary digits"},
	{"be2dec", []argKind{argStr, argInt, argInt}, 2, Bin, Str, runDecimal(true), checkChunk, "big-endian blocks as decimal numbers"},
	{"be2hex", []argKind{argStr, argInt, argInt}, 0, Bin, Str, runHexChunks, checkHexChunk, "blocks as hexadecimal digits"},
	{"bytes", []argKind{argIntVar, argIntVar}, 1, Bin, Bin, runBytes, nil, "a piece: offset and length"},
	{"capture-req", []argKind{argInt}, 1, Str, Str, runCaptureInto(true), checkSlot, "put the value into a capture slot of the request"},
	{"capture-res", []argKind{argInt}, 1, Str, Str, runCaptureInto(false), checkSlot, "put the value into a capture slot of the response"},
	{"hex", nil, 0, Bin, Str, runHex, nil, "write as hexadecimal digits"},
	{"hex2i", nil, 0, Str, Int, runHexInt, nil, "number from hexadecimal digits"},
	{"htonl", nil, 0, Int, Bin, runHtonl, nil, "the number as 4 bytes, big-endian"},
	{"iif", []argKind{argStr, argStr}, 2, Bool, Str, runIif, nil, "one string if true, another if false"},
	{"ipmask", []argKind{argMask4, argMask6}, 1, Addr, Addr, runIPMask, nil, "an address's network: mask for IPv4, mask for IPv6"},
	{"le2dec", []argKind{argStr, argInt, argInt}, 2, Bin, Str, runDecimal(false), checkChunk, "little-endian blocks as decimal numbers"},
	{"length", nil, 0, Str, Int, func(_ *Ctx, _ []Arg, s *Sample) bool { return s.setInt(int64(len(s.B))) }, nil, "length of the string"},
	{"nbsrv", nil, 0, Str, Int, runNbsrvOf, nil, "usable servers of the backend of that name"},
	{"srv_queue", nil, 0, Str, Int, runSrvQueueOf, nil, "requests that wait for the server of that name"},
	{"ub64dec", nil, 0, Str, Bin, decode64(base64.RawURLEncoding), nil, "decode base64url"},
	{"ub64enc", nil, 0, Bin, Str, encode64(base64.RawURLEncoding), nil, "encode as base64url"},
}

func decode64(e *base64.Encoding) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		in := s.B
		if e == base64.RawURLEncoding { // padding is optional
			for len(in) > 0 && in[len(in)-1] == '=' {
				in = in[:len(in)-1]
			}
		}
		out := c.room()[:scratchSize]
		if e.DecodedLen(len(in)) > len(out) {
			return false
		}
		n, err := e.Decode(out, in)
		return err == nil && s.setBin(out[:n])
	}
}

func encode64(e *base64.Encoding) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		if e.EncodedLen(len(s.B)) > scratchSize {
			return false
		}
		return s.setStr(e.AppendEncode(c.room(), s.B))
	}
}

func runBase2(c *Ctx, _ []Arg, s *Sample) bool {
	out := c.room()
	for _, b := range s.B {
		for bit := 7; bit >= 0; bit-- {
			out = appendFit(out, '0'+b>>bit&1)
		}
	}
	return s.setStr(out)
}

const upperHex = "0123456789ABCDEF"

func appendHex(dst []byte, b byte) []byte { return appendFit(dst, upperHex[b>>4], upperHex[b&15]) }

func runHex(c *Ctx, _ []Arg, s *Sample) bool {
	out := c.room()
	for _, b := range s.B {
		out = appendHex(out, b)
	}
	return s.setStr(out)
}

// runHexInt says nothing of what is not hexadecimal.
func runHexInt(_ *Ctx, _ []Arg, s *Sample) bool {
	var n int64
	for _, ch := range s.B {
		if !isHex(ch) {
			return false
		}
		d := int64(ch | 0x20)
		if d -= '0'; d > 9 {
			d -= 'a' - '0' - 10
		}
		n = n<<4 | d
	}
	return s.setInt(n)
}

func checkChunk(a []Arg) string {
	if a[1].Int < 1 || a[1].Int > 8 {
		return "a block has 1 to 8 bytes"
	}
	return ""
}

func checkHexChunk(a []Arg) string {
	if a[1].Int < 0 || a[1].Int == 0 && a[1].Given {
		return "a block has at least 1 byte"
	}
	return ""
}

func runDecimal(big bool) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		out, size := c.room(), int(a[1].Int)
		for in := s.B; len(in) > 0; {
			n := min(size, len(in))
			if n < size && a[2].Int != 0 {
				break
			}
			var v uint64
			for i := range n {
				if big {
					v = v<<8 | uint64(in[i])
				} else {
					v |= uint64(in[i]) << (8 * i)
				}
			}
			in = in[n:]
			if len(out) > 0 {
				out = appendFit(out, a[0].B...)
			}
			var digits [20]byte
			out = appendFit(out, strconv.AppendUint(digits[:0], v, 10)...)
		}
		return s.setStr(out)
	}
}

func runHexChunks(c *Ctx, a []Arg, s *Sample) bool {
	out, size := c.room(), int(a[1].Int)
	in := s.B
	if size > 0 && a[2].Int != 0 {
		in = in[:len(in)-len(in)%size]
	}
	for i, b := range in {
		if size > 0 && i > 0 && i%size == 0 {
			out = appendFit(out, a[0].B...)
		}
		out = appendHex(out, b)
	}
	return s.setStr(out)
}

// runBytes gives an empty block for an offset outside, and all that follows for a
// negative length, as HAProxy does.
func runBytes(c *Ctx, a []Arg, s *Sample) bool {
	off, ok := c.number(&a[0])
	if !ok {
		return false
	}
	if off < 0 || off >= int64(len(s.B)) {
		return s.setBin(nil)
	}
	b := s.B[off:]
	if a[1].Given {
		n, ok := c.number(&a[1])
		if !ok {
			return false
		}
		if n >= 0 {
			b = b[:min(n, int64(len(b)))]
		}
	}
	return s.setBin(b)
}

func runCaptureInto(request bool) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		caps := c.ResCaps
		if request {
			caps = c.ReqCaps
		}
		if n := a[0].Int; n < int64(len(caps)) {
			caps[n] = append(caps[n][:0], s.B...)
		}
		return true
	}
}

func runHtonl(c *Ctx, _ []Arg, s *Sample) bool {
	return s.setBin(binary.BigEndian.AppendUint32(c.room(), uint32(s.Int)))
}

func runIif(_ *Ctx, a []Arg, s *Sample) bool {
	if s.Int != 0 {
		return s.setStr(a[0].B)
	}
	return s.setStr(a[1].B)
}

// runIPMask: without a mask for IPv6 such addresses are absent, unless they are
// IPv4 ones written so.
func runIPMask(_ *Ctx, a []Arg, s *Sample) bool {
	if v4 := s.IP.Unmap(); v4.Is4() {
		return s.setIP(masked(v4, a[0].IP))
	}
	return a[1].Given && s.setIP(masked(s.IP, a[1].IP))
}

func runNbsrvOf(c *Ctx, _ []Arg, s *Sample) bool {
	if c.World == nil {
		return false
	}
	n, ok := c.World.BackendCount(view(s.B), CountUsable)
	return s.setInt(n) && ok
}

func runSrvQueueOf(c *Ctx, _ []Arg, s *Sample) bool {
	name := splitServer(view(s.B))
	if name.server == "" && c.Backend != nil {
		name = serverName{c.Backend.Name, view(s.B)}
	}
	if c.World == nil {
		return false
	}
	n, ok := c.World.ServerCount(name.backend, name.server, CountQueue)
	return s.setInt(n) && ok
}
