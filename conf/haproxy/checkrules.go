package haproxy

import (
	"encoding/hex"
	"math"
	"net/netip"
	"slices"
	"strings"

	"baton/conf"
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
)

// checkLine is a tcp-check or http-check line being read.
type checkLine struct {
	p     *proxy
	rules *checkRules
	http  bool
}

const noTLSYet = "there is no TLS yet"

// tcpCheckRules are the words after tcp-check.
var tcpCheckRules = slices.Concat(checkSteps, []keyword[*checkLine]{
	{"send", 0, false, Done, checkSend(false, false), "bytes to send"},
	{"send-binary", 0, false, Done, checkSend(true, false), "bytes to send, in hexadecimal digits"},
	{"send-binary-lf", 0, false, Done, checkSend(true, true), "the same made by a format"},
	{"send-lf", 0, false, Done, checkSend(false, true), "bytes to send, made by a format"},
})

// httpCheckRules are the words after http-check.
var httpCheckRules = slices.Concat(checkSteps, []keyword[*checkLine]{
	{"disable-on-404", 0, false, Done, func(r *checkLine, _ *args) { r.p.checks.disableOn404 = true }, "a server that answers 404 gets no new clients"},
	{"send", 0, false, Done, checkRequest, "request line, headers and body; meth, uri, uri-lf, ver, hdr, body, body-lf"},
	{"send-state", 0, false, Done, func(r *checkLine, _ *args) { r.p.checks.sendState = true }, "a header tells the server how it is seen"},
})

// checkSteps are the words that both have.
var checkSteps = []keyword[*checkLine]{
	{"comment", 0, false, Done, checkComment, "told in the log where the next step fails"},
	{"connect", 0, false, Done, checkConnectStep, "a new connection; default, port, addr, send-proxy, linger"},
	{"expect", 0, false, Done, checkExpect, "what the answer must hold; see the kinds"},
	{"set-var", 0, false, Done, checkSetVar, "give a variable the value of a sample expression"},
	{"set-var-fmt", 0, false, Done, checkSetVarFmt, "give a variable the value of a format"},
	{"unset-var", 0, false, Done, checkUnsetVar, "unset a variable"},
}

func parseTCPCheck(p *proxy, a *args) {
	a.checkLine(tcpCheckRules, &checkLine{p: p, rules: &p.checks.tcp})
}

func parseHTTPCheck(p *proxy, a *args) {
	a.checkLine(httpCheckRules, &checkLine{p: p, rules: &p.checks.http, http: true})
}

func (a *args) checkLine(table []keyword[*checkLine], r *checkLine) {
	keyword := a.last().Text
	w, ok := a.next("a step, such as 'connect', 'send' or 'expect'")
	if !ok {
		return
	}
	k, _ := find(table, []conf.Word{w})
	if k == nil {
		var names []string
		for i := range table {
			names = append(names, table[i].name)
		}
		a.fail(w, didYouMean(w.Text, names), "unknown %s '%s'", keyword, w.Text)
		return
	}
	if k.name != "disable-on-404" && k.name != "send-state" { // settings, not steps
		r.rules.line(a.words[0].Pos)
	}
	k.run(r, a)
}

func checkComment(r *checkLine, a *args) { r.rules.comment, _ = a.comment() }

func (a *args) comment() (string, bool) {
	w, ok := a.next("a text")
	return w.Text, ok
}

func checkConnectStep(r *checkLine, a *args) {
	s, c := spec.CheckStep{}, &spec.CheckConnect{}
	steps := r.rules.steps
	if i := first(steps); i < len(steps) && steps[i].Connect == nil {
		a.fail(a.words[0], "put this line first", "the first step must be a 'connect' where there is one; set-var, unset-var and comment may stand before it")
		return
	}
	if n := len(steps); r.http && n > 0 && steps[n-1].Expect == nil && steps[n-1].SetVar == nil {
		a.fail(a.words[0], "put an `http-check expect` between them", "'http-check connect' must follow an 'expect'")
		return
	}
	words := []string{"default", "port", "addr", "send-proxy", "linger", "comment"}
	for a.more() {
		w, _ := a.next("")
		switch w.Text {
		case "default":
			c.Default = true
		case "send-proxy":
			c.SendProxy = true
		case "linger":
			c.Linger = true
		case "comment":
			s.Comment, _ = a.comment()
		case "port":
			a.checkPort(r.p, c)
		case "addr":
			a.checkAddr(c)
		case "via-socks4", "ssl", "sni", "alpn", "proto":
			hint := noTLSYet
			if w.Text == "via-socks4" {
				hint = "connections are never made through a SOCKS4 proxy"
			}
			a.fail(w, hint, "'%s' is known, not supported yet", w.Text)
		default:
			a.fail(w, didYouMean(w.Text, words), "'connect' expects %s, not '%s'", quoted(words), w.Text)
		}
	}
	s.Connect = c
	r.rules.add(s)
}

// checkPort reads a number or an expression.
func (a *args) checkPort(p *proxy, c *spec.CheckConnect) {
	w, ok := a.next("a port or a sample expression")
	if !ok {
		return
	}
	if n, ok := parseInt(w.Text, math.MinInt, math.MaxInt); ok {
		if n < 1 || n > math.MaxUint16 {
			a.fail(w, "from 1 to 65535", "invalid port '%s'", w.Text)
		}
		c.Port = uint16(n)
		return
	}
	c.PortExpr = a.expr(p, w, sample.AtCheck)
}

// checkAddr reads an address, with or without a port.
func (a *args) checkAddr(c *spec.CheckConnect) {
	w, ok := a.next("an IP address")
	if !ok {
		return
	}
	addr, err := netip.ParseAddr(w.Text)
	if err != nil {
		var both netip.AddrPort
		if both, err = netip.ParseAddrPort(w.Text); err == nil {
			addr, c.Port = both.Addr(), both.Port()
		}
	}
	if err != nil || addr.Zone() != "" {
		a.fail(w, "write an IP address", "invalid address '%s'", w.Text)
	}
	c.Addr = addr
}

// checkSend reads `send DATA [comment TEXT]`.
func checkSend(isHex, isFormat bool) func(*checkLine, *args) {
	return func(r *checkLine, a *args) {
		w, ok := a.next("data to send")
		if !ok {
			return
		}
		text := a.checkText(r.p, w, isHex, isFormat)
		s := spec.CheckStep{Send: &text}
		if a.accept("comment") {
			s.Comment, _ = a.comment()
		}
		r.rules.add(s)
	}
}

// checkText reads literal bytes or a format.
func (a *args) checkText(p *proxy, w conf.Word, isHex, isFormat bool) spec.CheckText {
	switch {
	case isFormat:
		return a.checkFormatText(p, w, isHex)
	case isHex:
		b, err := hex.DecodeString(w.Text)
		if err != nil {
			a.fail(w, "two hexadecimal digits for each byte", "'%s' is not a binary string", w.Text)
		}
		return spec.CheckText{Text: string(b)}
	}
	return spec.CheckText{Text: w.Text}
}

// checkFormatText keeps what a format makes, where that is always the same.
func (a *args) checkFormatText(p *proxy, w conf.Word, isHex bool) spec.CheckText {
	f := a.checkFormat(p, w)
	if f == nil {
		return spec.CheckText{}
	}
	if text, ok := f.Constant(); ok && !isHex {
		return spec.CheckText{Text: text}
	}
	return spec.CheckText{Format: f, Hex: isHex}
}

func (a *args) checkFormat(p *proxy, w conf.Word) *logfmt.Format {
	f := p.compileFormat(w, w.Text, logfmt.Syntax{HTTP: true, Value: true, Verbatim: true}, sample.AtCheck)
	a.failed = a.failed || f == nil
	return f
}

// checkRequest reads http-check send.
func checkRequest(r *checkLine, a *args) {
	steps := r.rules.steps
	if n := len(steps); n > first(steps) && steps[n-1].Connect == nil && steps[n-1].SetVar == nil {
		a.fail(a.words[0], "put an `http-check connect` before it", "'http-check send' at step %d has no connection of its own", r.rules.lines)
		return
	}
	s, c := spec.CheckStep{}, &spec.CheckRequest{}
	words := []string{"meth", "uri", "uri-lf", "ver", "hdr", "body", "body-lf", "comment"}
	for a.more() {
		w, _ := a.next("")
		switch w.Text {
		case "meth":
			c.Method = a.method()
		case "uri":
			c.URI = spec.CheckText{Text: a.uri()}
		case "ver":
			if v, ok := a.next("a version"); ok {
				c.Version = a.version(v, v.Text)
			}
		case "hdr":
			a.checkHeader(r.p, c)
		case "body":
			if v, ok := a.next("a text"); ok {
				c.Body = spec.CheckText{Text: v.Text}
			}
		case "uri-lf":
			if v, ok := a.next("a format"); ok {
				c.URI = a.checkFormatText(r.p, v, false)
			}
		case "body-lf":
			if v, ok := a.next("a format"); ok {
				c.Body = a.checkFormatText(r.p, v, false)
			}
		case "comment":
			s.Comment, _ = a.comment()
		default:
			a.fail(w, didYouMean(w.Text, words), "'http-check send' only supports %s, not '%s'", quoted(words), w.Text)
		}
	}
	s.Request = c
	r.rules.add(s)
}

// checkHeader reads a name and a value. Content-Length and Transfer-Encoding are
// made from the body; HAProxy ignores them too.
func (a *args) checkHeader(p *proxy, c *spec.CheckRequest) {
	name, ok := a.next("a header name and a value")
	if !ok || !a.headerName(name) {
		return
	}
	v, ok := a.next("a header value")
	if !ok {
		return
	}
	if strings.ContainsAny(v.Text, "\r\n") {
		a.fail(v, "", "a header value cannot contain a line break")
		return
	}
	value := a.checkFormatText(p, v, false)
	if strings.EqualFold(name.Text, "Content-Length") || strings.EqualFold(name.Text, "Transfer-Encoding") {
		a.errs.Warnf(name.Pos, "remove it", "'%s' has no effect: it follows from the body", name.Text)
		return
	}
	c.Headers = append(c.Headers, spec.CheckHeader{Name: name.Text, Value: value})
}

func checkSetVar(r *checkLine, a *args) {
	v := a.checkVar(true)
	v.Expr = a.exprWords(r.p, sample.AtCheck)
	r.rules.add(spec.CheckStep{SetVar: v})
}

func checkSetVarFmt(r *checkLine, a *args) {
	v := a.checkVar(true)
	if w, ok := a.next("a format"); ok {
		v.Format = a.checkFormat(r.p, w)
	}
	r.rules.add(spec.CheckStep{SetVar: v})
}

func checkUnsetVar(r *checkLine, a *args) {
	r.rules.add(spec.CheckStep{SetVar: a.checkVar(false)})
}

// checkVar reads the name of a variable of a check. Those of a client's connection and
// its requests are not there.
func (a *args) checkVar(conds bool) *spec.CheckVar {
	w := a.last()
	rule := ruleLine{}
	v := &spec.CheckVar{Conds: rule.variable(a)}
	v.Name = rule.rule.Var
	a.varConditions(w, v.Conds, conds)
	switch v.Name.Scope {
	case sample.ScopeTxn, sample.ScopeReq, sample.ScopeRes:
		a.fail(w, "write proc, sess or check", "a check has no variables of scope '%s'", strings.Split(v.Name.String(), ".")[0])
	}
	return v
}

func (a *args) varConditions(w conf.Word, conds []string, allowed bool) {
	for _, c := range conds {
		switch {
		case !allowed:
			a.fail(w, "", "'%s' takes one name", a.name)
		case !slices.Contains(varConditions, c):
			a.fail(w, didYouMean(c, varConditions), "unknown condition '%s' in '%s'", c, w.Text)
		}
	}
}
