package http1

import "bytes"

// The limits on what surrounds the data of a chunked body.
const (
	maxExtension = 4096 // bytes of one chunk's extensions
	maxTrailers  = 8192 // bytes of the trailer section

	// maxChunk is the largest chunk, which is HAProxy's limit too: whoever reads sizes
	// as floating-point numbers reads those up to here right.
	maxChunk = 1<<52 - 1
)

// Chunks follows a chunked body (RFC 9112 section 7.1) that is relayed as it is: it
// finds the body's end and refuses every form that another parser could read in a
// different way. The zero value is ready; Chunks{} makes it so again.
type Chunks struct {
	Payload int64  // bytes of chunk data seen
	Reason  Reason // why Scan returned Bad

	state   chunkState
	left    int64 // of the chunk's data; of size while its digits are read
	count   int32 // digits, extension bytes or trailer bytes seen
	fields  int32 // trailer lines seen
	nameLen int32
	name    [trailerName]byte // the trailer's name so far, in lower case
}

// trailerName is the length of the longest forbidden trailer name.
const trailerName = len("transfer-encoding")

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkSpace
	chunkExtension
	chunkSizeLF
	chunkData
	chunkCR
	chunkLF
	trailerStart
	trailerInName
	trailerValue
	trailerLF
	lastLF
	chunksEnded
	chunksFailed
)

// Scan reads the next bytes of the body: n of them belong to it. NeedMore means that
// all do and more must come; Done that the body ends at b[n]; Bad that b[n] is wrong.
// After Done and Bad it stays there with n 0.
func (c *Chunks) Scan(b []byte) (n int, st State) {
	i := 0
	for i < len(b) {
		if c.state == chunkData {
			k := min(int64(len(b)-i), c.left)
			c.left -= k
			c.Payload += k
			i += int(k)
			if c.left == 0 {
				c.state = chunkCR
			}
			continue
		}
		if c.state == trailerValue {
			end := skipText(b, i)
			if room := maxTrailers - int(c.count); end-i > room {
				return i + room, c.fail(TrailerSize)
			}
			c.count += int32(end - i)
			i = end
			if i == len(b) {
				break
			}
		}
		if c.state >= chunksEnded {
			break
		}
		if r := c.step(b[i]); r != NoReason {
			return i, c.fail(r)
		}
		i++
	}
	switch c.state {
	case chunksEnded:
		return i, Done
	case chunksFailed:
		return 0, Bad
	}
	return i, NeedMore
}

func (c *Chunks) fail(r Reason) State {
	c.Reason, c.state = r, chunksFailed
	return Bad
}

// step takes one byte that is not chunk data.
func (c *Chunks) step(b byte) Reason {
	switch c.state {
	case chunkSize:
		return c.sizeByte(b)
	case chunkSpace:
		switch {
		case isSpace(b):
			return c.extensionByte()
		case b == '\r':
			c.state = chunkSizeLF
			return NoReason
		}
		return lineReason(b, ChunkSize)
	case chunkExtension:
		if b == '\r' {
			c.state = chunkSizeLF
			return NoReason
		}
		if b < 0x20 && b != '\t' || b == 0x7f {
			return lineReason(b, ChunkExtension)
		}
		return c.extensionByte()
	case chunkSizeLF:
		if b != '\n' {
			return BareCR
		}
		c.count = 0
		c.state = chunkData
		if c.left == 0 {
			c.state = trailerStart
		}
	case chunkCR:
		if b != '\r' {
			return lineReason(b, ChunkEnd)
		}
		c.state = chunkLF
	case chunkLF:
		if b != '\n' {
			return BareCR
		}
		c.state = chunkSize
	default:
		return c.trailerByte(b)
	}
	return NoReason
}

// sizeByte reads 1*HEXDIG, at most 16 of them. White space between the size and the
// line's end is let pass, as HAProxy and net/http do: old servers pad the size with it.
// The white space that RFC 9112 calls bad but allows before an extension is not.
func (c *Chunks) sizeByte(b byte) Reason {
	d := hexValue(b)
	switch {
	case d >= 0:
		if c.count == 16 || c.left > maxChunk>>4 {
			return ChunkSize
		}
		c.left = c.left<<4 | int64(d)
		c.count++
		return NoReason
	case c.count == 0:
		return lineReason(b, ChunkSize)
	case b == '\r':
		c.state = chunkSizeLF
	case b == ';':
		c.state = chunkExtension
	case isSpace(b):
		c.state = chunkSpace
	default:
		return lineReason(b, ChunkSize)
	}
	c.count = 0
	return NoReason
}

func (c *Chunks) extensionByte() Reason {
	if c.count == maxExtension {
		return ChunkExtension
	}
	c.count++
	return NoReason
}

// trailerByte parses the trailer section as strictly as a head.
func (c *Chunks) trailerByte(b byte) Reason {
	if c.count == maxTrailers {
		return TrailerSize
	}
	c.count++
	switch c.state {
	case trailerStart:
		switch {
		case b == '\r':
			c.state = lastLF
			return NoReason
		case isSpace(b):
			return ObsFold
		case b == ':':
			return EmptyName
		case c.fields == MaxHeaders:
			return TooManyFields
		}
		c.fields++
		c.nameLen = 0
		c.state = trailerInName
		return c.nameByte(b)
	case trailerInName:
		if b == ':' {
			c.state = trailerValue
			return c.trailerRule()
		}
		return c.nameByte(b)
	case trailerValue:
		// Scan has passed over the text.
		switch b {
		case '\r':
			c.state = trailerLF
		case '\n':
			return BareLF
		default:
			return ControlByte
		}
	case trailerLF:
		if b != '\n' {
			return BareCR
		}
		c.state = trailerStart
	case lastLF:
		if b != '\n' {
			return BareCR
		}
		c.state = chunksEnded
	}
	return NoReason
}

func (c *Chunks) nameByte(b byte) Reason {
	if !tokenBytes[b] {
		if isSpace(b) {
			return SpaceInName
		}
		return lineReason(b, BadName)
	}
	if c.nameLen == maxName {
		return LongName
	}
	if int(c.nameLen) < len(c.name) {
		c.name[c.nameLen] = lowerByte(b)
	}
	c.nameLen++
	return NoReason
}

// trailerRule refuses trailers that a lax recipient would merge into the head, where
// they frame or route the message (RFC 9110 section 6.5.1).
func (c *Chunks) trailerRule() Reason {
	if int(c.nameLen) > len(c.name) {
		return NoReason
	}
	switch knownOf(c.name[:c.nameLen]) {
	case ContentLength, TransferEncoding, Host, Connection, Upgrade, Expect, TE:
		return TrailerField
	}
	return NoReason
}

func hexValue(b byte) int {
	switch {
	case '0' <= b && b <= '9':
		return int(b - '0')
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return int(b|0x20-'a') + 10
	}
	return -1
}

// CutChunk returns what is here of the data of the chunk that b begins with, and what
// follows that chunk; more tells whether it has come whole. It is for bodies, or parts of
// them, that Scan has let pass.
func CutChunk(b []byte) (data, rest []byte, more bool) {
	line, rest, _ := bytes.Cut(b, crlf)
	size := 0
	for _, c := range line {
		digit := bytes.IndexByte(hexDigits, c|0x20)
		if digit < 0 || size > len(b) {
			break
		}
		size = size<<4 | digit
	}
	if size == 0 || len(rest) < size+len(crlf) {
		return rest[:min(size, len(rest))], nil, false
	}
	return rest[:size], rest[size+len(crlf):], true
}

var (
	crlf      = []byte("\r\n")
	hexDigits = []byte("0123456789abcdef")
)
