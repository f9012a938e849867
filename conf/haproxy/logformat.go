package haproxy

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
)

// logKeywords are the lines that say what is logged, and how.
var logKeywords = []keyword[*proxy]{
	{"capture cookie", inFrontend, false, Done, parseCaptureCookie, "keep a cookie of request and response for the log"},
	{"capture request header", inFrontend, false, Done, parseCaptureRequest, "keep a request header for the log"},
	{"capture response header", inFrontend, false, Done, parseCaptureResponse, "keep a response header for the log"},
	{"error-log-format", front, false, Done, parseErrorFormat, "the line of a connection that failed before it was a session"},
	{"log-format", front, false, Done, parseLogFormat, "custom log lines: aliases, flags, json and cbor"},
	{"log-format-sd", front, false, Done, parseLogFormatSD, "structured data of rfc5424 targets"},
	{"log-steps", front, false, Done, parseLogSteps, "when lines are written: all, or accept, request, connect, response, close; without it once, at the end"},
	{"log-tag", inAll, false, Done, parseLogTag, "the program's name in syslog heads"},
	{"option dontlog-normal", front, true, Done, optionDontLogNormal, "log failures only"},
	{"option dontlognull", front, true, Done, optionDontLogNull, "do not log connections without data"},
	{"option httplog", front, false, Done, optionHTTPLog, "HTTP log lines; clf"},
	{"option httpslog", front, false, Done, optionHTTPSLog, "HTTP log lines with what is known of TLS"},
	{"option log-separate-errors", front, true, Done, optionLogErrors, "log failures at level err"},
	{"option logasap", front, true, Done, optionLogASAP, "log when the transfer begins, not when it ends"},
	{"option tcplog", inAll, false, Done, optionTCPLog, "TCP log lines; clf"},
	{"unique-id-format", front, false, Done, parseUniqueID, "an identifier for each request"},
	{"unique-id-header", front, false, Done, parseUniqueIDHeader, "header that tells servers the identifier"},
}

// lineFormats are the formats of a proxy as they were written: what they may hold
// depends on the mode, which may be set later.
type lineFormats struct {
	custom, sd, errors, uniqueID conf.Word
	header                       string // unique-id-header
}

// compiledFormats are the same for running.
type compiledFormats struct{ custom, sd, errors, uniqueID *logfmt.Format }

type captures struct {
	request, response []spec.Capture
	cookie            *spec.Capture
}

func optionDontLogNormal(p *proxy, a *args) { p.common.DontLogNormal = !a.no }

func optionDontLogNull(p *proxy, a *args) { p.common.DontLogNull = !a.no }

func optionLogErrors(p *proxy, a *args) { p.common.LogSeparateErrors = !a.no }

func optionLogASAP(p *proxy, a *args) { p.common.LogAsap = !a.no }

// The last of these lines and of log-format wins.

func optionHTTPLog(p *proxy, a *args) {
	p.httplog = a.words[0].Pos
	if a.accept("clf") {
		p.standard(spec.LogCustom, logfmt.CLFFormat)
		return
	}
	p.standard(spec.LogHTTP, "")
}

func optionHTTPSLog(p *proxy, a *args) {
	p.httplog = a.words[0].Pos
	p.standard(spec.LogCustom, logfmt.HTTPSFormat)
}

func optionTCPLog(p *proxy, a *args) {
	if a.accept("clf") {
		p.standard(spec.LogCustom, logfmt.TCPCLF)
		return
	}
	p.standard(spec.LogTCP, "")
}

func (p *proxy) standard(f spec.LogFormat, text string) {
	p.common.LogFormat, p.lines.custom = f, conf.Word{Text: text}
}

func parseLogFormat(p *proxy, a *args) {
	if w, ok := a.next("a format"); ok {
		p.common.LogFormat, p.lines.custom = spec.LogCustom, w
		a.formatEnd()
	}
}

func parseLogFormatSD(p *proxy, a *args) {
	if w, ok := a.next("a format"); ok {
		p.lines.sd = w
		a.formatEnd()
	}
}

func parseErrorFormat(p *proxy, a *args) {
	if w, ok := a.next("a format"); ok {
		p.lines.errors = w
		a.formatEnd()
	}
}

func parseUniqueID(p *proxy, a *args) {
	if w, ok := a.next("a format"); ok {
		p.lines.uniqueID = w
		a.formatEnd()
	}
}

// formatEnd explains the usual mistake with formats.
func (a *args) formatEnd() {
	if a.more() {
		a.fail(a.words[a.i], "put quotes round the format, or a backslash before each space", "unexpected argument '%s'", a.words[a.i].Text)
	}
}

func parseUniqueIDHeader(p *proxy, a *args) {
	if w, ok := a.next("a header name"); ok && a.headerName(w) {
		p.lines.header = strings.ToLower(w.Text)
	}
}

func parseLogTag(p *proxy, a *args) {
	if w, ok := a.next("a name"); ok {
		p.logTag = w.Text
	}
}

func parseGlobalTag(l *lowerer, a *args) {
	if w, ok := a.next("a name"); ok {
		l.logTag = w.Text
	}
}

func parseSendHostname(l *lowerer, a *args) {
	l.cfg.Global.SendHostname = true
	if a.more() {
		w, _ := a.next("")
		l.cfg.Global.Hostname = w.Text
	}
}

func parseCaptureRequest(p *proxy, a *args) {
	p.captures.request = a.capture(p.captures.request, true)
}

func parseCaptureResponse(p *proxy, a *args) {
	p.captures.response = a.capture(p.captures.response, true)
}

func parseCaptureCookie(p *proxy, a *args) {
	if c := a.capture(nil, false); len(c) > 0 {
		p.captures.cookie = &c[0]
	}
}

// capture reads `<name> len <length>`.
func (a *args) capture(to []spec.Capture, header bool) []spec.Capture {
	name, ok := a.next("a name and a length")
	if !ok || header && !a.headerName(name) {
		return to
	}
	if w, ok := a.need("'len' and a length"); ok && w.Text != "len" {
		a.fail(w, "write len and a number of bytes", "expected 'len', not '%s'", w.Text)
	}
	n, ok := a.integer("a length", 1, math.MaxUint16)
	if !ok {
		return to
	}
	c := spec.Capture{Name: name.Text, Len: n}
	if header {
		c.Name = strings.ToLower(c.Name)
	}
	return append(slices.Clip(to), c)
}

// logSample reads <ranges>:<size>, as in 1,3-4:5.
func (a *args) logSample() *spec.LogSample {
	w, ok := a.next("<ranges>:<size>")
	if !ok {
		return nil
	}
	const hint = "write ranges and a size: 1:2, or 2-3,8-11:11"
	ranges, size, sized := strings.Cut(w.Text, ":")
	n, err := strconv.Atoi(size)
	if !sized || err != nil || n < 1 {
		a.fail(w, hint, "'%s' has no sample size", w.Text)
		return nil
	}
	s := &spec.LogSample{Size: n}
	for part := range strings.SplitSeq(ranges, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		lo, err := strconv.Atoi(low)
		hi, err2 := strconv.Atoi(high)
		switch {
		case err != nil || err2 != nil || lo < 1 || hi < lo:
			a.fail(w, hint, "'%s' is not a range of line numbers from 1", part)
		case hi > n:
			a.fail(w, "make the size larger", "the range '%s' ends after the sample size %d", part, n)
		}
		for _, r := range s.Ranges {
			if lo <= r[1] && r[0] <= hi {
				a.fail(w, "write each number once", "the ranges '%d-%d' and '%s' overlap", r[0], r[1], part)
			}
		}
		s.Ranges = append(s.Ranges, [2]int{lo, hi})
	}
	return s
}

// withoutHTTPLog falls back where mode tcp has no use for HTTP lines.
func (p *proxy) withoutHTTPLog() {
	text := p.lines.custom.Text
	if p.common.LogFormat != spec.LogHTTP && text != logfmt.CLFFormat && text != logfmt.HTTPSFormat {
		return
	}
	pos := p.httplog
	if pos.Line == 0 {
		pos = p.pos
	}
	p.l.errs.Warnf(pos, "falling back to `option tcplog`", "'option httplog' not usable with %s '%s' (needs 'mode http')", p.word, p.name.Text)
	p.standard(spec.LogTCP, "")
}

// compileFormats compiles what a frontend logs.
func (p *proxy) compileFormats() {
	if p.kind&inFrontend == 0 || p.common.Disabled {
		return
	}
	if p.common.LogFormat == spec.LogCustom {
		p.compiled.custom = p.format(p.lines.custom, sample.AtLog)
	}
	p.compiled.sd = p.format(p.lines.sd, sample.AtLog)
	p.compiled.errors = p.format(p.lines.errors, sample.AtLog)
	if w := p.lines.uniqueID; w.Text != "" {
		p.compiled.uniqueID = p.compileFormat(w, w.Text, logfmt.Syntax{HTTP: p.common.Mode == spec.HTTP, Merge: true, Message: true}, sample.AtRequest)
	}
}

// logging fills in what a frontend logs.
func (p *proxy) logging(f *spec.Frontend) {
	f.Format, f.FormatSD, f.UniqueID, f.UniqueIDHeader = p.compiled.custom, p.compiled.sd, p.compiled.uniqueID, p.lines.header
	f.ErrorFormat = p.compiled.errors
	f.RequestHeaders, f.ResponseHeaders, f.Cookie = p.captures.request, p.captures.response, p.captures.cookie
}

// format compiles one format of this proxy, whose expressions are evaluated at one of
// the given places; nil where there is none.
func (p *proxy) format(w conf.Word, at sample.Places) *logfmt.Format {
	if w.Text == "" {
		return nil
	}
	text := strings.ReplaceAll(w.Text, withoutTLS.exprs, withoutTLS.values)
	return p.compileFormat(w, text, logfmt.Syntax{HTTP: p.common.Mode == spec.HTTP, Merge: true}, at)
}

// value compiles the format of a value that a rule makes at one of the given places.
func (a *args) value(p *proxy, w conf.Word, at sample.Places) *logfmt.Format {
	if strings.ContainsAny(w.Text, "\r\n") {
		a.fail(w, "", "a header value cannot contain a line break")
		return nil
	}
	f := p.valueFormat(w, at)
	a.failed = a.failed || f == nil
	return f
}

// valueFormat is value for text that may have lines.
func (p *proxy) valueFormat(w conf.Word, at sample.Places) *logfmt.Format {
	return p.compileFormat(w, w.Text, logfmt.Syntax{HTTP: true, Value: true, Message: true}, at)
}

// compileFormat reports mistakes at their place in w.
func (p *proxy) compileFormat(w conf.Word, text string, o logfmt.Syntax, at sample.Places) *logfmt.Format {
	o.Expr = func(text string, off int) (logfmt.Expr, error) { return p.formatExpr(w, text, off, at) }
	o.Warn = func(off int, msg string) { p.l.errs.Warnf(within(w, off), "", "%s", msg) }
	f, err := logfmt.Compile(text, o)
	if err == nil {
		return f
	}
	pos, hint := w.Pos, ""
	var syntax *logfmt.SyntaxError
	if errors.As(err, &syntax) {
		pos, hint = within(w, syntax.Off), syntax.Hint
		if syntax.Near != "" {
			hint = didYouMean(syntax.Near, logfmt.AliasNames())
		}
	}
	p.l.errs.Errorf(pos, hint, "%s", err.Error())
	return nil
}

// formatExpr compiles an expression that begins off bytes into a format.
func (p *proxy) formatExpr(w conf.Word, text string, off int, at sample.Places) (logfmt.Expr, error) {
	e, bad := sample.Parse(text, p.exprOptions())
	if bad != nil {
		return nil, &logfmt.SyntaxError{Off: off + bad.Off, Msg: bad.Msg, Hint: bad.Hint}
	}
	if e.Places()&at == 0 {
		hint := ""
		if at == sample.AtLog {
			hint = "the message is gone when the line is written: keep it with `capture` or in a variable"
		}
		return nil, &logfmt.SyntaxError{Off: off, Msg: "'" + e.Fetch() + "' is not available here", Hint: hint}
	}
	p.l.noteExpr(e, func(at int) diag.Pos { return within(w, off+at) })
	return logfmt.SampleExpr(e), nil
}

// withoutTLS is what the end of httpslog's format says of a connection without TLS.
var withoutTLS = struct{ exprs, values string }{
	" %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc",
	" 0/-/-/-/0 -/%sslv/%sslc",
}

// within is the place of a byte in a word, as far as it is certain: quotes and
// backslashes before it are not seen here.
func within(w conf.Word, off int) diag.Pos {
	pos := w.Pos
	switch {
	case w.Quoted:
		pos.Col += off + 1
	case !strings.ContainsAny(w.Text, " \t"):
		pos.Col += off
	}
	return pos
}
