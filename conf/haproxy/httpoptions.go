package haproxy

import (
	"net/netip"
	"slices"
	"strings"

	"baton/conf"
	"baton/lb/spec"
)

// Options of mode http that change single things; see spec.HTTPOptions.
var httpOptionKeywords = []keyword[*proxy]{
	{"http-send-name-header", back, false, Done, parseNameHeader, "tell the server its name"},
	{"option accept-invalid-http-request", front, true, Done, lenientRequests, "take bytes in targets, names and values that frame nothing; what could smuggle a request stays refused"},
	{"option accept-invalid-http-response", back, true, Done, lenientResponses, "take bytes in names and values that frame nothing; what could split a response stays refused"},
	{"option accept-unsafe-violations-in-http-request", front, true, Done, lenientRequests, "the newer name of accept-invalid-http-request"},
	{"option accept-unsafe-violations-in-http-response", back, true, Done, lenientResponses, "the newer name of accept-invalid-http-response"},
	{"option checkcache", back, true, Done, func(p *proxy, a *args) { p.common.HTTP.CheckCache = !a.no }, "no cookies in responses that caches may keep: 502"},
	{"option h1-case-adjust-bogus-client", front, true, Done, func(p *proxy, a *args) { p.common.HTTP.AdjustToClient = !a.no }, "write names as h1-case-adjust says"},
	{"option h1-case-adjust-bogus-server", back, true, Done, func(p *proxy, a *args) { p.common.HTTP.AdjustToServer = !a.no }, "write names as h1-case-adjust says"},
	{"option http-buffer-request", inAll, true, Done, func(p *proxy, a *args) { p.common.HTTP.BufferBody = !a.no }, "wait for the request's body before anything is decided"},
	{"option http-ignore-probes", front, true, Done, func(p *proxy, a *args) { p.common.HTTP.IgnoreProbes = !a.no }, "no answer to connections without a request"},
	{"option http-no-delay", inAll, true, Done, noArguments, "nothing to do: data go on as they come, with the option or without"},
	{"option http-pretend-keepalive", back, true, Done, func(p *proxy, a *args) { p.common.HTTP.PretendKeepAlive = !a.no }, "do not tell the server that its connection closes"},
	{"option http-restrict-req-hdr-names", inAll, false, Done, optionHeaderNames, "preserve, delete or reject unusual header names"},
	{"option http-use-proxy-header", front, true, Done, func(p *proxy, a *args) { p.common.HTTP.ProxyHeader = !a.no }, "requests with a whole URI authenticate by 407 and Proxy-Authorization; Connection counts as ever, as in HAProxy 2.6"},
	{"option idle-close-on-response", front, true, Done, func(p *proxy, a *args) { p.common.HTTP.IdleStays = !a.no }, "a stop waits for the last request of idle connections"},
	{"option originalto", inAll, false, Done, optionOriginalTo, "add X-Original-To; except, header"},
	{"option prefer-last-server", back, true, Done, func(p *proxy, a *args) { p.common.HTTP.PreferLast = !a.no }, "a client's next request goes to the same server"},
}

func lenientRequests(p *proxy, a *args) { p.common.HTTP.LenientRequests = !a.no }

func lenientResponses(p *proxy, a *args) { p.common.HTTP.LenientResponses = !a.no }

func parseNameHeader(p *proxy, a *args) {
	if w, ok := a.next("a header name"); ok && a.headerName(w) {
		p.common.HTTP.NameHeader = strings.ToLower(w.Text)
	}
}

func optionHeaderNames(p *proxy, a *args) {
	w, ok := a.next("preserve, delete or reject")
	if !ok {
		return
	}
	i := slices.Index([]string{"preserve", "delete", "reject"}, w.Text)
	if i < 0 {
		a.fail(w, "", "'option http-restrict-req-hdr-names' expects preserve, delete or reject, not '%s'", w.Text)
		return
	}
	p.common.HTTP.HeaderNames = spec.HeaderNames(i)
}

func optionOriginalTo(p *proxy, a *args) {
	p.common.HTTP.OriginalTo = a.addressHeader("option originalto", "X-Original-To", []string{"except", "header"})
}

// addressHeader reads what `option forwardfor` and `option originalto` share.
func (a *args) addressHeader(option, header string, options []string) *spec.ForwardFor {
	f := &spec.ForwardFor{Header: header}
	for a.more() {
		w, _ := a.next("")
		if !slices.Contains(options, w.Text) {
			a.fail(w, didYouMean(w.Text, options), "'%s' only supports %s, not '%s'", option, quoted(options), w.Text)
			break
		}
		switch w.Text {
		case "if-none":
			f.IfNone = true
		case "header":
			if name, ok := a.next("a header name"); ok && a.headerName(name) {
				f.Header = name.Text
			}
		case "except":
			// A later `except` takes the place of an earlier one of its family.
			if net, ok := a.next("an address or network"); ok {
				prefix, ok := parseNetwork(net.Text)
				if !ok {
					a.fail(net, "write an address or network such as 10.0.0.0/8", "'%s' is not a valid IPv4 or IPv6 network", net.Text)
				}
				f.Except = slices.DeleteFunc(f.Except, func(q netip.Prefix) bool { return q.Addr().Is4() == prefix.Addr().Is4() })
				f.Except = append(f.Except, prefix)
			}
		}
	}
	return f
}

func globalCaseAdjust(l *lowerer, a *args) {
	const expects = "<from> and <to>"
	from, ok := a.need(expects)
	if !ok {
		return
	}
	if to, ok := a.need(expects); ok {
		l.adjustCase(a, from, to.Text, from.Text)
	}
}

// adjustCase notes that the header from is written as to; at names the place in a file.
func (l *lowerer) adjustCase(a *args, w conf.Word, to, from string) {
	const rule = "<from> is in lower case, and <to> is the same name with some letters in capitals"
	switch {
	case !isToken(from) || from != strings.ToLower(from) || strings.ToLower(to) != from:
		a.fail(w, rule, "'%s' cannot be written as '%s'", from, to)
		return
	case l.cfg.Global.HeaderCase[from] != "":
		a.fail(w, "", "the header '%s' stands twice", from)
		return
	case l.cfg.Global.HeaderCase == nil:
		l.cfg.Global.HeaderCase = make(map[string]string)
	}
	l.cfg.Global.HeaderCase[from] = to
}

func globalCaseFile(l *lowerer, a *args) {
	w, ok := a.next("a file")
	if !ok {
		return
	}
	data, err := l.tree.ReadFile(w.Text)
	if err != nil {
		a.fail(w, "", "cannot read the file '%s': %v", w.Text, err)
		return
	}
	n := 0
	for line := range strings.Lines(data) {
		n++
		line, _, _ = strings.Cut(line, "#")
		switch f := strings.Fields(line); len(f) {
		case 0:
		case 2:
			l.adjustCase(a, w, f[1], f[0])
		default:
			a.fail(w, "two names a line", "%s:%d: '%s' is not <from> and <to>", w.Text, n, strings.TrimSpace(line))
		}
	}
}
