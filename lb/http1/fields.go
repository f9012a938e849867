package http1

// fields parses the field lines up to and with the empty line.
func (m *Message) fields(b []byte) State {
	mark, i := int(m.scan.mark), int(m.scan.pos)
	resumeValue := m.scan.phase == inValue
	for {
		if !resumeValue {
			for i < len(b) && (tokenBytes[b[i]] || m.Lenient && delimiters[b[i]]) {
				i++
			}
			if i == len(b) {
				return m.wait(inName, mark, i)
			}
			if b[i] != ':' || i == mark {
				return m.nameEnd(b, mark, i)
			}
			if m.N == MaxHeaders {
				return m.fail(TooManyFields, mark)
			}
			if i-mark > maxName {
				return m.fail(LongName, mark)
			}
			f := &m.Fields[m.N]
			f.Name = Span{uint32(mark), uint32(i - mark)}
			f.Known = knownOf(b[mark:i])
			i++
			mark = i
		}
		resumeValue = false

		i = m.skipValue(b, i)
		if len(b)-i < 2 || b[i] != '\r' || b[i+1] != '\n' {
			if _, st := m.lineEnd(b, i); st == Bad {
				return Bad
			}
			return m.wait(inValue, mark, i)
		}
		f := &m.Fields[m.N]
		f.Value = trim(b, mark, i)
		i += 2
		mark = i
		m.N++
		if f.Known != Other {
			if r := m.note(b, f); r != NoReason {
				return m.fail(r, int(f.Value.Off))
			}
			if f.Known == Removed {
				m.N-- // a repeated Content-Length
			}
		}
	}
}

// skipValue is skipText, or more of that.
func (m *Message) skipValue(b []byte, i int) int {
	i = skipText(b, i)
	for m.Lenient && i < len(b) && inert(b[i]) {
		i = skipText(b, i+1)
	}
	return i
}

// nameEnd deals with what is not a name and its colon at b[mark:i+1]: the end of the
// head, or an error.
func (m *Message) nameEnd(b []byte, mark, i int) State {
	c := b[i]
	switch {
	case c == '\r' && i == mark:
		end, st := m.lineEnd(b, i)
		switch st {
		case NeedMore:
			return m.wait(inName, mark, i)
		case Bad:
			return Bad
		}
		m.HeadLen = end
		m.scan.phase = ended
		return Done
	case isSpace(c) && i == mark:
		return m.fail(ObsFold, i)
	case isSpace(c):
		return m.fail(SpaceInName, i)
	case c == ':':
		return m.fail(EmptyName, i)
	}
	return m.fail(lineReason(c, BadName), i)
}

// lineEnd expects CRLF at b[i:] and returns the index behind it.
func (m *Message) lineEnd(b []byte, i int) (int, State) {
	switch {
	case i == len(b):
		return i, NeedMore
	case b[i] == '\n':
		return i, m.fail(BareLF, i)
	case b[i] != '\r':
		return i, m.fail(ControlByte, i)
	case i+1 == len(b):
		return i, NeedMore
	case b[i+1] != '\n':
		return i, m.fail(BareCR, i)
	}
	return i + 2, Done
}

// note takes down what a known field says. A Content-Length that repeats an earlier
// one is marked Removed, so that one line is left of it (RFC 9110 section 8.6).
func (m *Message) note(b []byte, f *Field) Reason {
	s := &m.scan
	switch f.Known {
	case Connection:
		m.connection(f.Value.Of(b))
	case ContentLength:
		return m.contentLength(b, f)
	case TransferEncoding:
		// Codings before chunked are legal, but HAProxy refuses them too: nothing
		// uses them, and every hop reads their spelling in its own way.
		if s.hasCoding || !equalLower(f.Value.Of(b), "chunked") {
			return BadCoding
		}
		s.hasCoding = true
	case Host:
		if s.hasHost {
			return TwoHosts
		}
		s.hasHost, s.host = true, f.Value
	case Expect:
		m.Expect100 = equalLower(f.Value.Of(b), "100-continue")
	case Upgrade:
		s.upgradeField = true
	}
	return NoReason
}

func (m *Message) connection(list []byte) {
	for more := true; more; {
		var option []byte
		option, list, more = nextElement(list)
		switch {
		case len(option) == 0:
		case equalLower(option, "close"):
			m.scan.close = true
		case equalLower(option, "keep-alive"):
			m.scan.keepAlive = true
		case equalLower(option, "upgrade"):
			m.scan.upgrade = true
		default:
			m.scan.named = true
		}
	}
}

// contentLength accepts a number, and the same number again in a list or in more
// lines, as HAProxy does. The field is left with the number alone, without zeros
// before it, so that the next hop finds nothing to interpret.
func (m *Message) contentLength(b []byte, f *Field) Reason {
	digits, rest, more := nextElement(f.Value.Of(b))
	n, ok := decimal(digits)
	if !ok {
		return BadLength
	}
	for more {
		var again []byte
		again, rest, more = nextElement(rest)
		k, ok := decimal(again)
		if !ok {
			return BadLength
		}
		if k != n {
			return LengthMismatch
		}
	}
	if m.scan.hasLength {
		if n != m.ContentLength {
			return LengthMismatch
		}
		f.Known = Removed
		return NoReason
	}
	m.scan.hasLength, m.ContentLength = true, n
	f.Value.Len = uint32(len(digits))
	for f.Value.Len > 1 && b[f.Value.Off] == '0' {
		f.Value.Off++
		f.Value.Len--
	}
	return NoReason
}

// decimal reads digits only: no sign, no space.
func decimal(b []byte) (int64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		d := int64(c) - '0'
		if d < 0 || d > 9 || n > (1<<63-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// knownOf recognises a field name, which is a token: its length and first letter
// leave at most one to compare with.
func knownOf(b []byte) Known {
	first := b[0] | 0x20
	switch len(b) {
	case 2:
		return known(b, "te", TE)
	case 4:
		if first == 'h' {
			return known(b, "host", Host)
		}
		return known(b, "date", Date)
	case 6:
		if first == 'c' {
			return known(b, "cookie", Cookie)
		}
		return known(b, "expect", Expect)
	case 7:
		if first == 'u' {
			return known(b, "upgrade", Upgrade)
		}
		return known(b, "trailer", Trailer)
	case 10:
		switch first {
		case 'c':
			return known(b, "connection", Connection)
		case 'k':
			return known(b, "keep-alive", KeepAlive)
		case 's':
			return known(b, "set-cookie", SetCookie)
		}
	case 14:
		return known(b, "content-length", ContentLength)
	case 15:
		return known(b, "x-forwarded-for", XForwardedFor)
	case 16:
		return known(b, "proxy-connection", ProxyConnection)
	case 17:
		return known(b, "transfer-encoding", TransferEncoding)
	}
	return Other
}

// known compares a token with a name of letters and hyphens. Only the two cases of a
// letter are the same with bit 5 set: what else would be is no token.
func known(b []byte, name string, k Known) Known {
	if len(b) != len(name) {
		return Other
	}
	for i, c := range b {
		if c|0x20 != name[i] {
			return Other
		}
	}
	return k
}
