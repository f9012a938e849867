package http1

import "encoding/binary"

// ParseRequest parses a request head that starts at b[0]. After NeedMore the caller
// calls again with the same bytes and more behind them; what was looked at is not
// looked at again. Empty lines before the request line are passed over (RFC 9112
// section 2.2) and count in HeadLen.
func (m *Message) ParseRequest(b []byte) State {
	switch m.scan.phase {
	case inStart, inMethod, inTarget, inVersion:
		if st := m.requestLine(b); st != Done {
			return st
		}
	case ended:
		return Done
	case failed:
		return Bad
	}
	if st := m.fields(b); st != Done {
		return st
	}
	return m.finishRequest(b)
}

func (m *Message) requestLine(b []byte) State {
	i := int(m.scan.pos)
	switch m.scan.phase {
	case inTarget:
		return m.target(b, int(m.scan.mark), i)
	case inVersion:
		return m.requestVersion(b, i)
	case inStart:
		for i < len(b) && b[i] == '\r' {
			if i+1 == len(b) {
				return m.wait(inStart, i, i)
			}
			if b[i+1] != '\n' {
				return m.fail(BareCR, i)
			}
			i += 2
		}
		m.MethodSpan.Off = uint32(i)
	}
	for i < len(b) && tokenBytes[b[i]] {
		i++
	}
	start := int(m.MethodSpan.Off)
	if i == len(b) {
		if i == start {
			return m.wait(inStart, i, i)
		}
		return m.wait(inMethod, start, i)
	}
	if b[i] != ' ' || i == start {
		return m.fail(lineReason(b[i], BadMethod), i)
	}
	m.MethodSpan.Len = uint32(i - start)
	m.Method = methodOf(b[start:i])
	if string(b[start:i]) == "PRI" { // RFC 9113 section 3.4 reserves it
		return m.fail(HTTP2Preface, start)
	}
	return m.target(b, i+1, i+1)
}

func (m *Message) target(b []byte, start, i int) State {
	for i < len(b) && (targetBytes[b[i]] || m.Lenient && unescaped(b[i])) {
		i++
	}
	if i == len(b) {
		return m.wait(inTarget, start, i)
	}
	switch {
	case b[i] == ' ' && i > start:
		m.Target = Span{uint32(start), uint32(i - start)}
		return m.requestVersion(b, i+1)
	case b[i] == '\r' && i > start:
		return m.fail(BadVersion, i) // HTTP/0.9
	case b[i] == '#':
		return m.fail(Fragment, i)
	}
	return m.fail(lineReason(b[i], BadTarget), i)
}

// requestVersion reads the version and the end of the request line.
func (m *Message) requestVersion(b []byte, i int) State {
	if len(b)-i >= 10 && binary.LittleEndian.Uint64(b[i:])&^(1<<56) == version10 && b[i+8] == '\r' && b[i+9] == '\n' {
		m.Minor = b[i+7] & 1
		return m.endStartLine(i + 10)
	}
	// Not complete, or not right: look at what is there byte by byte.
	for j := range 10 {
		at := i + j
		if at == len(b) {
			return m.wait(inVersion, i, i)
		}
		switch c := b[at]; {
		case j < 7 && c == "HTTP/1."[j], j == 7 && c&^1 == '0', j == 8 && c == '\r', j == 9 && c == '\n':
		case j == 9:
			return m.fail(BareCR, at-1)
		default:
			return m.fail(lineReason(c, BadVersion), at)
		}
	}
	panic("BUG: the version was found right after all")
}

// version10 is "HTTP/1.0" as the little-endian number that the parser loads;
// bit 56 more is "HTTP/1.1".
const version10 = 'H' | 'T'<<8 | 'T'<<16 | 'P'<<24 | '/'<<32 | '1'<<40 | '.'<<48 | '0'<<56

// endStartLine turns to the first field line, which starts at i.
func (m *Message) endStartLine(i int) State {
	m.scan.line, m.scan.mark, m.scan.pos = uint32(i), uint32(i), uint32(i)
	m.scan.phase = inName
	return Done
}

// lineReason gives a bare LF its own reason: it is what attacks are made of.
func lineReason(c byte, r Reason) Reason {
	if c == '\n' {
		return BareLF
	}
	return r
}

func methodOf(b []byte) Method {
	switch string(b) {
	case "GET":
		return MethodGet
	case "HEAD":
		return MethodHead
	case "POST":
		return MethodPost
	case "PUT":
		return MethodPut
	case "DELETE":
		return MethodDelete
	case "OPTIONS":
		return MethodOptions
	case "TRACE":
		return MethodTrace
	case "CONNECT":
		return MethodConnect
	case "PATCH":
		return MethodPatch
	}
	return MethodOther
}
