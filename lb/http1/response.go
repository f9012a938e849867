package http1

// ParseResponse parses a response head that starts at b[0], the answer to a request
// with method req (RFC 9112 section 6.3: HEAD and CONNECT change what follows). It is
// incremental as ParseRequest is. Interim responses (1xx) are messages of their own:
// Reset and parse what follows HeadLen.
func (m *Message) ParseResponse(b []byte, req Method) State {
	switch m.scan.phase {
	case inStart, inReasonPhrase:
		if st := m.statusLine(b); st != Done {
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
	return m.finishResponse(req)
}

// statusLine reads "HTTP/1.1 200 OK\r\n". The space before an empty reason phrase
// may be missing: servers forget it (RFC 9112 section 4 asks clients for leniency).
func (m *Message) statusLine(b []byte) State {
	if m.scan.phase == inReasonPhrase {
		return m.reasonPhrase(b, int(m.scan.mark), int(m.scan.pos))
	}
	for i := range 12 {
		if i == len(b) {
			return NeedMore // so few bytes that looking at them again costs nothing
		}
		c := b[i]
		switch {
		case i < 7 && c == "HTTP/1."[i], i == 7 && c&^1 == '0', i == 8 && c == ' ':
		case i == 9 && '1' <= c && c <= '9', i >= 10 && '0' <= c && c <= '9':
		case i < 9:
			return m.fail(lineReason(c, BadVersion), i)
		default:
			return m.fail(lineReason(c, BadStatus), i)
		}
	}
	if len(b) == 12 {
		return NeedMore
	}
	m.Minor = b[7] & 1
	m.Status = int(b[9]-'0')*100 + int(b[10]-'0')*10 + int(b[11]-'0')
	switch b[12] {
	case ' ':
		return m.reasonPhrase(b, 13, 13)
	case '\r':
		return m.reasonPhrase(b, 12, 12)
	}
	return m.fail(lineReason(b[12], BadStatus), 12)
}

func (m *Message) reasonPhrase(b []byte, start, i int) State {
	i = m.skipValue(b, i)
	end, st := m.lineEnd(b, i)
	switch st {
	case NeedMore:
		return m.wait(inReasonPhrase, start, i)
	case Bad:
		return Bad
	}
	m.ReasonPhrase = Span{uint32(start), uint32(i - start)}
	return m.endStartLine(end)
}
