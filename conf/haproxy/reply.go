package haproxy

import (
	"slices"
	"strconv"
	"strings"

	"baton/conf"
	"baton/lb/http1"
	"baton/lb/sample"
	"baton/lb/spec"
)

// Answers from the configuration: what return, deny, tarpit and http-error share.

// replySources are the words that say where a reply comes from; one of them may stand.
var replySources = []string{"default-errorfiles", "errorfile", "errorfiles", "file", "lf-file", "string", "lf-string"}

// reply reads what stands before a condition: `[status N] [content-type T] [SOURCE]
// [hdr NAME FORMAT]...`. status is the default one.
func (a *args) reply(p *proxy, status int, at sample.Places) (*spec.Reply, bool) {
	r := &spec.Reply{Status: status}
	var source, value conf.Word
	var contentType string
	for a.more() && a.peek() != "if" && a.peek() != "unless" {
		w, _ := a.next("")
		switch {
		case w.Text == "status", w.Text == "deny_status":
			r.Status, _ = a.integer("a status", 200, 599)
		case w.Text == "content-type":
			if v, ok := a.next("a content type"); ok {
				contentType = v.Text
			}
		case w.Text == "hdr":
			name, ok := a.next("<name> <value>")
			v, ok2 := a.next("<name> <value>")
			if ok && ok2 && a.headerName(name) {
				if f := a.value(p, v, at); f != nil {
					r.Headers = append(r.Headers, spec.ReplyHeader{Name: strings.ToLower(name.Text), Format: f})
				}
			}
		case slices.Contains(replySources, w.Text):
			if source.Text != "" {
				a.fail(w, "", "'%s' after '%s': one of them", w.Text, source.Text)
			}
			source = w
			if w.Text != "default-errorfiles" {
				value, _ = a.next("an argument")
			}
		default:
			a.fail(w, didYouMean(w.Text, append([]string{"status", "content-type", "hdr"}, replySources...)), "unexpected argument '%s'", w.Text)
		}
	}
	if a.failed {
		return nil, false
	}
	builtin := http1.IsBuiltin(r.Status)
	switch source.Text {
	case "":
		r.Parts = len(r.Headers) > 0
	case "default-errorfiles", "errorfile", "errorfiles":
		if !builtin {
			a.fail(source, "200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503 or 504", "there is no error page for status %d", r.Status)
			return nil, false
		}
		r.Headers = nil
		if !a.replyPage(p, r, source, value) {
			return nil, false
		}
	default:
		r.Parts = true
		if !a.replyBody(p, r, source, value, contentType, at) {
			return nil, false
		}
	}
	return r, true
}

func (a *args) replyPage(p *proxy, r *spec.Reply, source, value conf.Word) bool {
	switch source.Text {
	case "errorfile":
		page, ok := a.pageFile(p.l, value, r.Status)
		r.Page = &page
		return ok
	case "errorfiles":
		h := p.l.httpErrorsOf(value.Text)
		if h == nil {
			a.fail(value, "the section must stand before its use", "unable to find http-errors '%s'", value.Text)
			return false
		}
		if r.Page = spec.ErrorPageOf(h.pages, r.Status); r.Page == nil {
			a.fail(value, "", "http-errors '%s' at %s has no page for status %d", value.Text, h.name.Pos, r.Status)
			return false
		}
	}
	return true
}

func (a *args) replyBody(p *proxy, r *spec.Reply, source, value conf.Word, contentType string, at sample.Places) bool {
	text := value
	if strings.HasSuffix(source.Text, "file") {
		data, err := p.l.readFile(value.Text)
		if err != nil {
			a.fail(value, "", "cannot read the file '%s': %v", value.Text, err)
			return false
		}
		text.Text = data
	}
	if len(text.Text) > maxErrorPage {
		a.fail(value, "", "the payload has %d bytes, %d fit", len(text.Text), maxErrorPage)
		return false
	}
	if text.Text == "" {
		return true
	}
	if contentType == "" {
		a.fail(source, "add content-type TYPE", "a payload needs its content-type")
		return false
	}
	r.Type = contentType
	if !strings.HasPrefix(source.Text, "lf-") {
		r.Text = text.Text
		return true
	}
	r.Format = p.valueFormat(text, at)
	a.failed = a.failed || r.Format == nil
	return !a.failed
}

// static renders a reply that is the same each time; ok is false for others.
func static(r *spec.Reply) (page spec.ErrorPage, ok bool) {
	if r.Page != nil {
		return *r.Page, true
	}
	var b strings.Builder
	b.WriteString("HTTP/1.1 " + strconv.Itoa(r.Status) + " " + http1.StatusText(r.Status) + "\r\n")
	for _, h := range r.Headers {
		text, ok := h.Format.Constant()
		if !ok {
			return page, false
		}
		b.WriteString(h.Name + ": " + text + "\r\n")
	}
	if r.Format != nil {
		return page, false
	}
	b.WriteString("content-length: " + strconv.Itoa(len(r.Text)) + "\r\n")
	if r.Type != "" {
		b.WriteString("content-type: " + r.Type + "\r\n")
	}
	return spec.ErrorPage{Status: r.Status, Message: b.String() + "\r\n" + r.Text}, true
}
