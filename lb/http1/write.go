package http1

// Set is a set of known headers: bit 1<<k stands for k.
type Set uint32

// HopByHop are the fields that concern one connection only (RFC 9110 section 7.6.1).
// Transfer-Encoding is none of them here, since bodies are relayed in the form they
// come in. A caller that passes an upgrade on takes Upgrade out of the set and adds
// its own Connection line.
const HopByHop Set = 1<<Connection | 1<<ProxyConnection | 1<<KeepAlive | 1<<TE | 1<<Upgrade

// AppendHead appends the head to dst: the start line as it came, and the fields with
// their names in lower case, as HAProxy sends them. Left away are the fields in drop,
// those that Connection names, and those marked Removed. The empty line is not
// written: the caller appends its own lines and then "\r\n". b is the buffer that was
// parsed; dst must not overlap it.
func (m *Message) AppendHead(dst, b []byte, drop Set) []byte {
	drop |= 1 << Removed
	if m.Status != 0 && (m.Status/100 == 1 || m.Status == 204 || m.Framing == Tunnel) {
		// Such a response must not have them (RFC 9110 section 8.6, RFC 9112
		// section 6.1), and a client that minds them would wait for a body.
		drop |= 1<<ContentLength | 1<<TransferEncoding
	}
	dst = m.AppendStart(dst, b)
	for i := range m.Fields[:m.N] {
		f := &m.Fields[i]
		if drop>>f.Known&1 != 0 || m.scan.named && f.Known == Other && m.isNamed(b, f.Name.Of(b)) {
			continue
		}
		dst = f.appendLine(dst, b)
	}
	return dst
}

// AppendStart appends the start line as it came, with its CRLF.
func (m *Message) AppendStart(dst, b []byte) []byte {
	if m.Status != 0 && b[len("HTTP/1.1 200")] == '\r' {
		dst = append(dst, b[:len("HTTP/1.1 200")]...)
		return append(dst, " \r\n"...) // the space that the server forgot
	}
	return append(dst, b[m.MethodSpan.Off:m.scan.line]...)
}

// appendLine appends "name: value\r\n".
func (f *Field) appendLine(dst, b []byte) []byte {
	start := len(dst)
	nameEnd := f.Name.Off + f.Name.Len
	end := f.Value.Off + f.Value.Len
	if f.Value.Off == nameEnd+2 && b[nameEnd+1] == ' ' && b[end] == '\r' {
		// The line came in the form that it is to have: one copy.
		dst = append(dst, b[f.Name.Off:end+2]...)
	} else {
		dst = append(dst, f.Name.Of(b)...)
		dst = append(dst, ": "...)
		dst = append(dst, f.Value.Of(b)...)
		dst = append(dst, "\r\n"...)
	}
	lower(dst[start : start+int(f.Name.Len)])
	return dst
}

// isNamed reports whether Connection names the field and so makes it one of this
// connection. Known fields are never asked about: naming them would let a client
// strip a message of its framing, its host, or what an earlier proxy said of it.
func (m *Message) isNamed(b, name []byte) bool {
	if endToEnd(name) {
		return false
	}
	for i := range m.Fields[:m.N] {
		f := &m.Fields[i]
		if f.Known != Connection {
			continue
		}
		list := f.Value.Of(b)
		for more := true; more; {
			var option []byte
			option, list, more = nextElement(list)
			if equalFold(option, name) {
				return true
			}
		}
	}
	return false
}

// endToEnd holds the other fields that a message cannot be rid of by Connection:
// what servers decide by (RFC 9110 section 7.6.1: a sender must not name them).
func endToEnd(name []byte) bool {
	switch len(name) {
	case 3:
		return equalLower(name, "via")
	case 9:
		return equalLower(name, "forwarded") || equalLower(name, "x-real-ip")
	case 12:
		return equalLower(name, "content-type")
	case 13:
		return equalLower(name, "authorization") || equalLower(name, "cache-control")
	case 16:
		return equalLower(name, "content-encoding") || equalLower(name, "x-forwarded-host") ||
			equalLower(name, "x-forwarded-port")
	case 17:
		return equalLower(name, "x-forwarded-proto")
	}
	return false
}
