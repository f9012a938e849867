package probe

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"

	"baton/lb/health"
	"baton/lb/spec"
)

// verdict is what an expectation says of the answer so far.
type verdict uint8

const (
	undecided verdict = iota // more may change it
	met
	failed // or conditionally passed, by error-status L7OKC: the check ends
)

// judge looks at what has come; last means that nothing more will.
func (x *exchange) judge(s *spec.CheckStep, last bool) (health.Result, verdict) {
	switch s.Expect.Kind {
	case spec.ExpectMySQL, spec.ExpectMySQLAnswer, spec.ExpectLDAP, spec.ExpectAgent:
		if x.n == 0 {
			return x.empty(s), failed
		}
		return protocol(s.Expect.Kind, x.buf[:x.n], last)
	}
	if x.plan.Kind == spec.CheckHTTP {
		return x.judgeHTTP(s, last)
	}
	return x.judgeRaw(s, last)
}

// judgeRaw judges what has come as it is.
func (x *exchange) judgeRaw(s *spec.CheckStep, last bool) (health.Result, verdict) {
	e, got := s.Expect, x.buf[:x.n]
	if len(got) == 0 {
		return x.empty(s), failed
	}
	if len(got) < e.MinRecv && !last {
		return health.Result{}, undecided
	}
	found, problem := x.find(e, got)
	if problem != "" {
		return health.Result{Status: health.L7Invalid, Info: problem}, failed
	}
	if !found && !last && (e.MinRecv == spec.AnyLength || len(got) < len(e.Text.Text)) {
		return health.Result{}, undecided
	}
	if found != e.Not {
		return x.success(s, 0), met
	}
	text := "TCPCHK did not match content "
	if e.Not {
		text = "TCPCHK matched unwanted content "
	}
	return x.failure(s, 0, text+subject(e)+" at step "+strconv.Itoa(s.Number)), failed
}

// find looks for what e expects in b; problem tells why that cannot be done.
func (x *exchange) find(e *spec.Expect, b []byte) (found bool, problem string) {
	switch e.Kind {
	case spec.ExpectRegex:
		return e.Regex.Match(b), ""
	case spec.ExpectBinaryRegex:
		return e.Regex.MatchString(strings.ToUpper(hex.EncodeToString(b))), ""
	}
	want, ok := x.text(&e.Text)
	switch {
	case !ok:
		return false, "Failed to parse hexastring resulting of eval of a log-format string"
	case len(want) == 0:
		return false, "log-format string evaluated to an empty string"
	}
	return bytes.Contains(b, want), ""
}

// success is the result of an expectation that is met. It counts where no step follows.
func (x *exchange) success(s *spec.CheckStep, code int) health.Result {
	e := s.Expect
	r := health.Result{Status: health.L7OK, Code: code}
	if e.OKStatus != "" {
		r.Status = health.StatusOf(e.OKStatus)
	}
	if e.OnSuccess != nil {
		r.Info = x.format(e.OnSuccess)
	}
	x.statusCode(e, &r)
	return r
}

// failure is the result of one that is not; info is told unless on-error says else.
func (x *exchange) failure(s *spec.CheckStep, code int, info string) health.Result {
	e := s.Expect
	r := health.Result{Status: health.L7Invalid, Code: code, Info: info}
	if e.Kind <= spec.ExpectFullHeader {
		r.Status = health.L7Status
	}
	if e.ErrorStatus != "" {
		r.Status = health.StatusOf(e.ErrorStatus)
	}
	if e.OnError != nil {
		r.Info = x.format(e.OnError)
	}
	if s.Comment != "" {
		r.Info += " comment: " + s.Comment
	}
	x.statusCode(e, &r)
	return r
}

func (x *exchange) statusCode(e *spec.Expect, r *health.Result) {
	if e.StatusCode == nil {
		return
	}
	if n, ok := x.number(e.StatusCode); ok {
		r.Code = n
	}
}

// empty is the result of a connection that ended without a byte.
func (x *exchange) empty(s *spec.CheckStep) health.Result {
	r := health.Result{Status: health.L7Invalid, Info: "TCPCHK got an empty response at step " + strconv.Itoa(s.Number)}
	if s.Expect.ErrorStatus != "" {
		r.Status = health.StatusOf(s.Expect.ErrorStatus)
	}
	if s.Comment != "" {
		r.Info += " comment: '" + s.Comment + "'"
	}
	return r
}

// describe names an expectation where its time ran out.
func describe(e *spec.Expect) string {
	switch {
	case e.Text.Format != nil && e.Text.Hex:
		return "log-format binary"
	case e.Text.Format != nil:
		return "log-format string"
	case e.Kind == spec.ExpectBinary:
		return "binary '" + e.Text.Text + "'"
	case e.Kind == spec.ExpectRegex:
		return "regex"
	case e.Kind == spec.ExpectBinaryRegex:
		return "binary regex"
	}
	return "string '" + e.Text.Text + "'"
}

// subject names one that failed.
func subject(e *spec.Expect) string {
	switch {
	case e.Kind == spec.ExpectString && e.Text.Format == nil:
		return "'" + e.Text.Text + "'"
	case e.Kind == spec.ExpectBinary && e.Text.Format == nil:
		return "(binary)"
	}
	return "(" + describe(e) + ")"
}
