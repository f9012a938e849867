package haproxy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"baton/conf"
	"baton/lb/http1"
	"baton/lb/sample"
	"baton/lb/spec"
)

// The pages of errors: errorfile, errorfiles, errorloc, http-error and the http-errors
// sections that they point to (chapters 3.8 and 4).

const (
	pageExpects  = "<status code> and <file>"
	maxErrorPage = 16384 - 1024 // a page is sent from one buffer (tune.bufsize less its reserve)
)

// httpErrors is an http-errors section.
type httpErrors struct {
	name  conf.Word
	pages []spec.ErrorPage
	l     *lowerer
}

func (l *lowerer) httpErrors(s *conf.Section) {
	h := &httpErrors{l: l}
	if len(s.Args) == 0 {
		l.errs.Errorf(s.Keyword.Pos, "", "'http-errors' expects a name")
	} else {
		h.name = s.Args[0]
		if len(s.Args) > 1 {
			l.errs.Errorf(s.Args[1].Pos, "", "unexpected argument '%s'", s.Args[1].Text)
		}
		if o := l.httpErrorsOf(h.name.Text); o != nil {
			l.errs.Errorf(h.name.Pos, "", "http-errors '%s' has the same name as another one at %s", h.name.Text, o.name.Pos)
		}
	}
	lines(l, s, httpErrorsKeywords, h, func(*keyword[*httpErrors], *args) bool { return true })
	l.errorGroups = append(l.errorGroups, h)
}

var httpErrorsKeywords = []keyword[*httpErrors]{
	{"errorfile", 0, false, Done, func(h *httpErrors, a *args) { h.pages = a.errorFile(h.l, h.pages) }, "the page of one status"},
}

func (l *lowerer) httpErrorsOf(name string) *httpErrors {
	for _, h := range l.errorGroups {
		if h.name.Text == name {
			return h
		}
	}
	return nil
}

var errorKeywords = []keyword[*proxy]{
	{"errorfile", inAll, false, Done, func(p *proxy, a *args) { p.common.Errors = a.errorFile(p.l, p.common.Errors) }, "a file with the response to send for a status"},
	{"errorfiles", inAll, false, Done, parseErrorFiles, "the pages of an http-errors section"},
	{"errorloc", inAll, false, Done, func(p *proxy, a *args) { parseErrorLoc(p, a, 302) }, "redirect instead of an error"},
	{"errorloc302", inAll, false, Done, func(p *proxy, a *args) { parseErrorLoc(p, a, 302) }, "redirect instead of an error"},
	{"errorloc303", inAll, false, Done, func(p *proxy, a *args) { parseErrorLoc(p, a, 303) }, "redirect instead of an error, to a GET"},
	{"http-error", inAll, false, Done, parseHTTPError, "the page of a status from its parts"},
}

// pageStatus reads a status that baton answers with itself.
func (a *args) pageStatus(expects string) (int, bool) {
	w, ok := a.need(expects)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(w.Text)
	if err != nil || !http1.IsBuiltin(n) {
		a.fail(w, "200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503 or 504", "no error page is ever sent for status '%s'", w.Text)
		return 0, false
	}
	return n, true
}

func (a *args) errorFile(l *lowerer, pages []spec.ErrorPage) []spec.ErrorPage {
	status, ok := a.pageStatus(pageExpects)
	if !ok {
		return pages
	}
	w, ok := a.need(pageExpects)
	if !ok {
		return pages
	}
	if p, ok := a.pageFile(l, w, status); ok {
		pages = append(pages, p)
	}
	return pages
}

// pageFile reads a file that holds a whole response.
func (a *args) pageFile(l *lowerer, w conf.Word, status int) (spec.ErrorPage, bool) {
	data, err := l.readFile(w.Text)
	if err != nil {
		a.fail(w, "", "cannot read the error file '%s': %v", w.Text, err)
		return spec.ErrorPage{}, false
	}
	p := spec.ErrorPage{Status: status}
	if data == "" { // /dev/null: close without a word
		return p, true
	}
	if p.Message, p.Close, err = normalPage(data); err != nil {
		a.fail(w, "it holds a whole HTTP response: status line, header lines, an empty line, the body", "error file '%s': %v", w.Text, err)
		return p, false
	}
	return p, true
}

// normalPage turns a response as people write it into what goes on the wire: CRLF at
// the ends of lines, names in lower case, no Connection. closes: it has no length.
func normalPage(data string) (msg string, closes bool, err error) {
	var b bytes.Buffer
	rest, first := data, true
	for {
		line, more, found := strings.Cut(rest, "\n")
		if !found {
			return "", false, fmt.Errorf("the empty line that ends the head is missing")
		}
		rest = more
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		name, value, colon := strings.Cut(line, ":")
		switch {
		case first:
			b.WriteString(line)
		case !colon:
			return "", false, fmt.Errorf("header line %q has no colon", line)
		case strings.EqualFold(name, "connection"):
			continue
		default:
			b.WriteString(strings.ToLower(name) + ": " + strings.Trim(value, " \t"))
		}
		first = false
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	var m http1.Message
	if st := m.ParseResponse(b.Bytes(), http1.MethodGet); st != http1.Done {
		return "", false, fmt.Errorf("its head is not valid HTTP: %v", m.Reason)
	}
	switch {
	case m.Status < 200:
		return "", false, fmt.Errorf("status %d ends no exchange", m.Status)
	case m.Framing == http1.Chunked:
		return "", false, fmt.Errorf("a chunked body is not supported: leave Transfer-Encoding away")
	case m.ContentLength >= 0 && m.ContentLength != int64(len(rest)):
		return "", false, fmt.Errorf("the body has %d bytes, Content-Length says %d", len(rest), m.ContentLength)
	case b.Len()+len(rest) > maxErrorPage:
		return "", false, fmt.Errorf("it has %d bytes, %d fit", b.Len()+len(rest), maxErrorPage)
	}
	b.WriteString(rest)
	return b.String(), m.Framing == http1.UntilClose, nil
}

func parseErrorLoc(p *proxy, a *args, code int) {
	status, ok := a.pageStatus("<status code> and <url>")
	if !ok {
		return
	}
	w, ok := a.need("<status code> and <url>")
	if !ok {
		return
	}
	if strings.ContainsFunc(w.Text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		a.fail(w, "", "the location '%s' holds a control character", w.Text)
		return
	}
	msg := fmt.Sprintf("HTTP/1.1 %d %s\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: %s\r\n\r\n", code, http1.StatusText(code), w.Text)
	p.common.Errors = append(p.common.Errors, spec.ErrorPage{Status: status, Message: msg})
}

// parseErrorFiles takes the pages of a section; it may stand behind the proxy, so
// the name is looked up at the end.
func parseErrorFiles(p *proxy, a *args) {
	name, ok := a.next("the name of an http-errors section")
	if !ok {
		return
	}
	h := p.l.httpErrorsOf(name.Text)
	if h == nil {
		a.fail(name, "the section must stand before its use", "unable to find http-errors '%s'", name.Text)
		return
	}
	if !a.more() {
		p.common.Errors = append(p.common.Errors, h.pages...)
		return
	}
	for a.more() {
		status, ok := a.pageStatus("a status code")
		if !ok {
			return
		}
		page := spec.ErrorPageOf(h.pages, status)
		if page == nil {
			a.fail(a.last(), "", "http-errors '%s' at %s has no page for status %d", name.Text, h.name.Pos, status)
			return
		}
		p.common.Errors = append(p.common.Errors, *page)
	}
}

// parseHTTPError reads `http-error status CODE [content-type T] [SOURCE] [hdr NAME VALUE]...`.
func parseHTTPError(p *proxy, a *args) {
	const expects = "status <code>"
	if w, ok := a.need(expects); !ok || w.Text != "status" {
		if ok {
			a.fail(w, "", "'http-error' expects %s, not '%s'", expects, w.Text)
		}
		return
	}
	status, ok := a.pageStatus(expects)
	if !ok {
		return
	}
	a.i -= 2 // `status CODE` is one of the reply's words
	r, ok := a.reply(p, status, sample.AtRequest|sample.AtBackendRequest)
	if !ok {
		return
	}
	if !r.Parts && r.Page == nil && a.lastSource() == "default-errorfiles" {
		p.common.Errors = append(p.common.Errors, spec.ErrorPage{Status: status, Builtin: true})
		return
	}
	page, fixed := static(r)
	if !fixed {
		page.Reply = r
	}
	page.Status = status
	p.common.Errors = append(p.common.Errors, page)
}

// lastSource is the word that says where the reply just read comes from.
func (a *args) lastSource() string {
	for _, w := range a.words[:a.i] {
		if slices.Contains(replySources, w.Text) {
			return w.Text
		}
	}
	return ""
}
