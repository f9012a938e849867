package haproxy

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"baton/lb/logfmt"
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/spec"
)

// The checks for a protocol are steps as an operator could write them with tcp-check,
// but for the few answers that take more than a pattern (lb/health/probe/protocol.go).
// The bytes, words and step numbers are those of HAProxy 2.6.

// protocolCheck makes a plan of steps whose connect has the number given.
func (p *proxy) protocolCheck(connect int, steps ...spec.CheckStep) {
	steps = append([]spec.CheckStep{{Connect: &spec.CheckConnect{Default: true}}}, steps...)
	for i := range steps {
		steps[i].Number = connect + i
	}
	p.checks.option, p.checks.protocol = checkProtocol, steps
}

func sendText(s string) spec.CheckStep { return spec.CheckStep{Send: &spec.CheckText{Text: s}} }

func expecting(e spec.Expect) spec.CheckStep { return spec.CheckStep{Expect: &e} }

// ownFormat compiles a format of the checks above, which has no mistakes.
func ownFormat(text string) *logfmt.Format {
	return logfmt.Must(text, logfmt.Syntax{Value: true, Verbatim: true, Expr: func(text string, _ int) (logfmt.Expr, error) {
		return logfmt.SampleExpr(ownExpr(text)), nil
	}})
}

func ownExpr(text string) *sample.Expr {
	e, bad := sample.Parse(text, sample.Options{})
	if bad != nil {
		panic("BUG: " + text + ": " + bad.Msg)
	}
	return e
}

// ownRegex expects a regular expression of ours, which has no mistakes.
func ownRegex(text string, e spec.Expect) spec.CheckStep {
	re, err := pattern.CompileRegex(text, false)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	e.Regex = re
	if e.Kind != spec.ExpectBinaryRegex {
		e.Kind = spec.ExpectRegex
	}
	return expecting(e)
}

func optionRedisCheck(p *proxy, _ *args) {
	p.protocolCheck(0, sendText("*1\r\n$4\r\nPING\r\n"), expecting(spec.Expect{
		Kind: spec.ExpectString, Text: spec.CheckText{Text: "+PONG\r\n"}, MinRecv: spec.AnyLength,
		ErrorStatus: "L7STS", OnError: ownFormat("%[res.payload(0,0),cut_crlf]"), OnSuccess: ownFormat("Redis server is ok"),
	}))
}

// optionSMTPCheck reads [HELO|EHLO DOMAIN]; another word means HELO localhost.
func optionSMTPCheck(p *proxy, a *args) {
	hello := "HELO localhost"
	if a.more() {
		verb, _ := a.next("")
		if domain, ok := a.next("a domain"); ok {
			if v := strings.ToUpper(verb.Text); v == "HELO" || v == "EHLO" {
				hello = v + " " + domain.Text
			}
			if strings.ContainsAny(domain.Text, " \t\r\n") {
				a.fail(domain, "", "'%s' is not a domain", domain.Text)
			}
		}
	}
	code := ownExpr("res.payload(0,3)")
	words := ownFormat("%[res.payload(4,0),ltrim(' '),cut_crlf]")
	good := func(min int) spec.CheckStep {
		return ownRegex("^2[0-9]{2}[- \r]", spec.Expect{MinRecv: min, ErrorStatus: "L7STS", OnError: words, OnSuccess: words, StatusCode: code})
	}
	isReply := ownRegex("^[0-9]{3}[- \r]", spec.Expect{MinRecv: 4, OnError: ownFormat("%[res.payload(0,0),cut_crlf]")})
	p.protocolCheck(1, isReply, good(4), sendText(hello+"\r\n"), good(spec.AnyLength), sendText("QUIT\r\n"), good(4))
}

// optionPgSQLCheck begins a login (protocol 3.0) as `user`. Any request for
// authentication (R) is good, an error (E) is not.
func optionPgSQLCheck(p *proxy, a *args) {
	if a.peek() != "user" {
		a.fail(a.last(), "option pgsql-check user NAME", "'option pgsql-check' expects 'user' and a name")
		return
	}
	a.i++
	user, ok := a.next("a user's name")
	if !ok {
		return
	}
	message := binary.BigEndian.AppendUint32(nil, uint32(4+4+len("user\x00")+len(user.Text)+2))
	message = binary.BigEndian.AppendUint32(message, 3<<16)
	message = append(message, "user\x00"+user.Text+"\x00\x00"...)
	p.protocolCheck(1, sendText(string(message)),
		ownRegex("^E", spec.Expect{Not: true, MinRecv: 5, ErrorStatus: "L7RSP", OnError: ownFormat("%[res.payload(6,0)]")}),
		ownRegex("^52000000[0-9A-F]{2}000000", spec.Expect{
			Kind: spec.ExpectBinaryRegex, MinRecv: 9, ErrorStatus: "L7STS",
			OnError: ownFormat("PostgreSQL unknown error"), OnSuccess: ownFormat("PostgreSQL server is ok"),
		}))
}

// optionMySQLCheck reads [user NAME [post-41|pre-41]].
func optionMySQLCheck(p *proxy, a *args) {
	switch {
	case !a.more():
		p.protocolCheck(1, expecting(spec.Expect{Kind: spec.ExpectMySQL}))
		return
	case !a.accept("user"):
		w, _ := a.next("")
		a.fail(w, "option mysql-check user NAME", "'option mysql-check' only supports 'user', not '%s'", w.Text)
		return
	}
	user, ok := a.next("a user's name")
	if !ok {
		return
	}
	// The login has no password. Its first 8 bytes are capabilities and the largest
	// packet, which takes 16 and 24 bits before 4.1.
	login := "\x00\x82\x00\x00\x00\x80\x00\x01\x21" + strings.Repeat("\x00", 23) + user.Text + "\x00\x00"
	if a.more() && !a.accept("post-41") {
		w, _ := a.next("")
		if w.Text != "pre-41" {
			a.fail(w, didYouMean(w.Text, []string{"post-41", "pre-41"}), "'user' only supports 'post-41' and 'pre-41', not '%s'", w.Text)
		}
		login = "\x00\x80\x00\x00\x01" + user.Text + "\x00\x00"
	}
	const quit = "\x01\x00\x00\x00\x01"
	packet := string([]byte{byte(len(login)), byte(len(login) >> 8), byte(len(login) >> 16), 1}) + login + quit
	p.protocolCheck(1, sendText(packet), expecting(spec.Expect{Kind: spec.ExpectMySQLAnswer}))
}

// optionLDAPCheck sends a BindRequest (RFC 4511 section 4.2) with an empty name and
// password.
func optionLDAPCheck(p *proxy, _ *args) {
	p.protocolCheck(0, sendText("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"), expecting(spec.Expect{Kind: spec.ExpectLDAP}))
}

// optionHelloCheck sends an SSLv3 client hello: time, 28 bytes that are not random, no
// session, 39 ciphers, no compression. A handshake record or an alert is good.
func optionHelloCheck(p *proxy, _ *args) {
	var hello strings.Builder
	hello.WriteString("1603000079010000750300%[date(),htonl,hex]")
	hello.WriteString(hex.EncodeToString([]byte("HAPROXYSSLCHK\nHAPROXYSSLCHK\n")) + "00" + "004e")
	for cipher := 1; cipher <= 0x3a; cipher++ {
		if cipher <= 0x1b || cipher >= 0x2f {
			hello.WriteString(hex.EncodeToString([]byte{0, byte(cipher)}))
		}
	}
	hello.WriteString("0100")
	p.protocolCheck(0, spec.CheckStep{Send: &spec.CheckText{Format: ownFormat(hello.String()), Hex: true}},
		ownRegex("^1[56]", spec.Expect{Kind: spec.ExpectBinaryRegex, MinRecv: 5, OKStatus: "L6OK", ErrorStatus: "L6RSP", TimeoutStatus: "L6TOUT", OnError: ownFormat("")}))
}
