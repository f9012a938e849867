package http1

import "bytes"

// finishRequest draws the conclusions from a complete request head.
func (m *Message) finishRequest(b []byte) State {
	if r := m.targetForm(b); r != NoReason {
		return m.fail(r, int(m.Target.Off))
	}
	if r := m.hostRule(b); r != NoReason {
		return m.fail(r, int(m.scan.host.Off))
	}
	if r := m.oldBodyRule(); r != NoReason {
		return m.fail(r, m.HeadLen)
	}
	if r := m.lengthRule(); r != NoReason {
		return m.fail(r, m.HeadLen)
	}
	m.connectionRule()
	if m.Minor == 0 {
		m.Expect100 = false // RFC 9110 section 10.1.1
	}
	m.Framing = m.declared(NoBody)
	if m.Method == MethodConnect && m.Framing != NoBody {
		return m.fail(ConnectBody, m.HeadLen)
	}
	if m.scan.upgrade && m.scan.upgradeField && m.Framing == NoBody && m.switchesToWebSocket(b) && !m.webSocketKey(b) {
		return m.fail(WebSocketKey, m.HeadLen)
	}
	return Done
}

// finishResponse does the same for a response to a request with method req.
func (m *Message) finishResponse(req Method) State {
	if r := m.lengthRule(); r != NoReason {
		return m.fail(r, m.HeadLen)
	}
	m.connectionRule()
	m.Expect100 = false
	if m.Status == 101 && !m.scan.upgrade {
		return m.fail(SwitchedAlone, m.HeadLen)
	}
	switch {
	case m.Status == 101, req == MethodConnect && m.Status/100 == 2:
		m.Framing = Tunnel
	case req == MethodHead, m.bodiless():
		m.Framing = NoBody
	default:
		m.Framing = m.declared(UntilClose)
	}
	if m.Framing == Tunnel || m.Framing == UntilClose {
		m.KeepAlive = false
	}
	return Done
}

// bodiless reports whether the status alone rules a body out.
func (m *Message) bodiless() bool {
	return m.Status/100 == 1 || m.Status == 204 || m.Status == 304
}

// declared returns the framing that the fields tell, or otherwise when they are silent.
func (m *Message) declared(otherwise Framing) Framing {
	switch {
	case m.scan.hasCoding:
		return Chunked
	case m.ContentLength > 0:
		return Length
	case m.ContentLength == 0:
		return NoBody
	}
	return otherwise
}

// lengthRule refuses what RFC 9112 section 6.3 lets a recipient repair: two hops that
// repair differently are how requests are smuggled.
func (m *Message) lengthRule() Reason {
	switch {
	case m.scan.hasCoding && m.scan.hasLength:
		return LengthAndCoding
	case m.scan.hasCoding && m.Minor == 0:
		return OldCoding
	case !m.scan.hasLength:
		m.ContentLength = -1
	}
	return NoReason
}

// oldBodyRule refuses bodies that old servers never look for (the manual on
// h1-accept-payload-with-any-method).
func (m *Message) oldBodyRule() Reason {
	if m.OldBodies || m.Minor > 0 || m.ContentLength <= 0 && !m.scan.hasCoding {
		return NoReason
	}
	switch m.Method {
	case MethodGet, MethodHead, MethodDelete:
		return OldBody
	}
	return NoReason
}

// switchesToWebSocket reports whether Upgrade offers websocket, among others.
func (m *Message) switchesToWebSocket(b []byte) bool {
	for i := m.FindKnown(Upgrade, 0); i >= 0; i = m.FindKnown(Upgrade, i+1) {
		rest, more := m.Fields[i].Value.Of(b), true
		for more {
			var offer []byte
			if offer, rest, more = nextElement(rest); equalLower(offer, "websocket") {
				return true
			}
		}
	}
	return false
}

// webSocketKey reports whether there is a Sec-WebSocket-Key of the length that 16 bytes
// have in base64. A server that answers without one was asked by something else than a
// browser's websocket.
func (m *Message) webSocketKey(b []byte) bool {
	i := m.Find(b, "sec-websocket-key", 0)
	return i >= 0 && m.Fields[i].Value.Len == 24
}

// connectionRule applies RFC 9112 section 9.3 and RFC 9110 section 7.8.
func (m *Message) connectionRule() {
	s := &m.scan
	m.KeepAlive = !s.close && (m.Minor == 1 || s.keepAlive)
	m.ConnUpgrade = s.upgrade && s.upgradeField && m.Minor == 1
}

// targetForm takes the target apart into one of the four forms of RFC 9112 section 3.2.
func (m *Message) targetForm(b []byte) Reason {
	t := m.Target.Of(b)
	switch {
	case m.Method == MethodConnect:
		host, port := splitPort(t)
		if len(host) == 0 || len(port) == 0 || !validAuthority(t) {
			return TargetForm
		}
		m.Authority = m.Target
	case t[0] == '/':
		m.Path = m.Target
		m.cutQuery(b)
	case len(t) == 1 && t[0] == '*':
		if m.Method != MethodOptions {
			return TargetForm
		}
	default:
		return m.absoluteForm(b, t)
	}
	return NoReason
}

// absoluteForm takes scheme://authority and an optional path apart. The path may be
// absent only when no query follows: "http://host?q" is read in too many ways.
func (m *Message) absoluteForm(b, t []byte) Reason {
	colon := bytes.IndexByte(t, ':')
	if colon < 1 || !validScheme(t[:colon]) || !bytes.HasPrefix(t[colon:], []byte("://")) {
		return TargetForm
	}
	start := colon + len("://")
	end := start
	for end < len(t) && t[end] != '/' {
		end++
	}
	if end == start || !validAuthority(t[start:end]) {
		return TargetForm
	}
	if host, _ := splitPort(t[start:end]); len(host) == 0 {
		return TargetForm
	}
	m.Authority = Span{m.Target.Off + uint32(start), uint32(end - start)}
	m.Path = Span{m.Target.Off + uint32(end), m.Target.Len - uint32(end)}
	m.cutQuery(b)
	return NoReason
}

func (m *Message) cutQuery(b []byte) {
	if i := bytes.IndexByte(m.Path.Of(b), '?'); i >= 0 {
		m.Path.Len = uint32(i)
	}
}

// hostRule applies RFC 9112 section 3.2, and has Host agree with a target that
// names an authority too, as HAProxy does: else rules and server could go by
// different names. Host may be empty where the target names none.
func (m *Message) hostRule(b []byte) Reason {
	if !m.scan.hasHost {
		if m.Minor == 1 {
			return NoHost
		}
		return NoReason
	}
	host := m.scan.host.Of(b)
	if !validAuthority(host) {
		return BadHost
	}
	if m.Authority.Len > 0 && !m.sameServer(b, host) {
		return HostMismatch
	}
	return NoReason
}

// sameServer compares Host with the target's authority. A missing port is the
// scheme's; CONNECT has no scheme, and there both well-known ports may be left away.
func (m *Message) sameServer(b, host []byte) bool {
	name, port := splitPort(m.Authority.Of(b))
	hostName, hostPort := splitPort(host)
	if !equalFold(name, hostName) {
		return false
	}
	if bytes.Equal(port, hostPort) {
		return true
	}
	usual := func(port []byte) bool { return len(port) == 0 || string(port) == "80" }
	switch {
	case m.Method == MethodConnect:
		return len(hostPort) == 0 && (string(port) == "80" || string(port) == "443")
	case equalLower(b[m.Target.Off:m.Authority.Off], "https://"):
		usual = func(port []byte) bool { return len(port) == 0 || string(port) == "443" }
	case !equalLower(b[m.Target.Off:m.Authority.Off], "http://"):
		return false
	}
	return usual(port) && usual(hostPort)
}

func validAuthority(b []byte) bool {
	for _, c := range b {
		if !authorityBytes[c] {
			return false
		}
	}
	return true
}

// validScheme checks ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) (RFC 3986 section 3.1).
func validScheme(b []byte) bool {
	for i, c := range b {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return true
}

// splitPort cuts a port off an authority. What follows the last colon is a port only
// when it is all digits, so an IPv6 address in brackets stays whole.
func splitPort(b []byte) (host, port []byte) {
	i := len(b)
	for i > 0 && '0' <= b[i-1] && b[i-1] <= '9' {
		i--
	}
	if i == 0 || b[i-1] != ':' {
		return b, nil
	}
	return b[:i-1], b[i:]
}
