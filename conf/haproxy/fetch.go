package haproxy

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"baton/conf"
	"baton/lb/spec"
)

// sampleType is what a fetch returns; it decides the default match.
type sampleType uint8

const (
	typeBool sampleType = iota
	typeInt
	typeIP
	typeString
)

// fetch is one criterion of an ACL.
type fetch struct {
	name    string
	value   spec.Fetch
	returns sampleType
	arg     string // what its argument names; "" when it takes none
	derived bool   // path_beg, path_end, ... exist
	http    bool   // looks at HTTP
	request bool   // looks at the request head, which is gone in http-response
	doc     string
}

var fetches = []fetch{
	{"always_false", spec.FetchFalse, typeBool, "", false, false, false, "never matches"},
	{"always_true", spec.FetchTrue, typeBool, "", false, false, false, "always matches"},
	{"dst", spec.FetchDst, typeIP, "", false, false, false, "address that the client connected to"},
	{"dst_port", spec.FetchDstPort, typeInt, "", false, false, false, "port that the client connected to"},
	{"hdr", spec.FetchHdr, typeString, "header name", true, true, true, "each comma-separated value of a request header"},
	{"hdr_ip", spec.FetchHdr, typeIP, "header name", false, true, true, "hdr, whose values are addresses"},
	{"hdr_val", spec.FetchHdr, typeInt, "header name", false, true, true, "hdr, whose values are numbers"},
	{"method", spec.FetchMethod, typeString, "", false, true, false, "request method"},
	{"nbsrv", spec.FetchNbSrv, typeInt, "backend", false, false, false, "usable servers of a backend"},
	{"path", spec.FetchPath, typeString, "", true, true, true, "request path without the query"},
	{"req.hdr", spec.FetchHdr, typeString, "header name", false, true, true, "hdr"},
	{"req.hdr_ip", spec.FetchHdr, typeIP, "header name", false, true, true, "hdr_ip"},
	{"req.hdr_val", spec.FetchHdr, typeInt, "header name", false, true, true, "hdr_val"},
	{"req.ver", spec.FetchReqVer, typeString, "", false, true, true, "HTTP version of the request, 1.0 or 1.1"},
	{"req_ver", spec.FetchReqVer, typeString, "", false, true, true, "req.ver"},
	{"src", spec.FetchSrc, typeIP, "", false, false, false, "address of the client"},
	{"src_port", spec.FetchSrcPort, typeInt, "", false, false, false, "port of the client"},
	{"ssl_fc", spec.FetchSSLFc, typeBool, "", false, false, false, "the client uses TLS with us"},
	{"url", spec.FetchURL, typeString, "", true, true, true, "request target as it came"},
}

func fetchOf(v spec.Fetch) fetch {
	for _, f := range fetches {
		if f.value == v {
			return f
		}
	}
	panic("BUG: fetch without a name")
}

// matches are the words after -m and, with _, the ends of derived criteria.
var matches = []struct {
	name  string
	value spec.Match
	fits  []sampleType // nil: all
}{
	{"found", spec.MatchFound, nil},
	{"bool", spec.MatchBool, []sampleType{typeBool, typeInt, typeString}},
	{"int", spec.MatchInt, []sampleType{typeBool, typeInt, typeString}},
	{"ip", spec.MatchIP, []sampleType{typeIP, typeString}},
	{"str", spec.MatchExact, nil},
	{"beg", spec.MatchBegin, nil},
	{"end", spec.MatchEnd, nil},
	{"sub", spec.MatchSub, nil},
	{"dir", spec.MatchDir, nil},
	{"dom", spec.MatchDom, nil},
	{"len", spec.MatchLen, nil},
	{"reg", spec.MatchRegex, nil},
}

// test reads a criterion, its flags and its patterns: all the words left.
func (a *args) test(p *proxy) spec.Test {
	var t spec.Test
	w, ok := a.next("a criterion")
	if !ok {
		return t
	}
	f := a.criterion(p, w, &t)
	if a.failed {
		return t
	}
	a.flags(f, &t)
	a.patterns(w, &t)
	return t
}

// criterion reads `hdr_beg(host)`: fetch, match and argument.
func (a *args) criterion(p *proxy, w conf.Word, t *spec.Test) fetch {
	name, arg, hasArg := strings.Cut(w.Text, "(")
	if hasArg {
		var after string
		if arg, after, hasArg = strings.Cut(arg, ")"); !hasArg {
			a.fail(w, "", "expected ')' in '%s'", w.Text)
			return fetch{}
		}
		if strings.HasPrefix(after, ",") {
			a.fail(w, "", "converters ('%s') are known, not supported yet", after[1:])
		} else if after != "" {
			a.fail(w, "", "unexpected '%s' after ')' in '%s'", after, w.Text)
		}
	} else if before, conv, found := strings.Cut(name, ","); found {
		a.fail(w, "", "converters ('%s') are known, not supported yet", conv)
		name = before
	}
	f, m := lookupFetch(name)
	if f == nil {
		a.unknownFetch(w, name)
		return fetch{}
	}
	t.Fetch, t.Match = f.value, m
	a.fetchArg(p, w, f, arg, hasArg, t)
	return *f
}

// lookupFetch finds a fetch and its default match, or a derived criterion.
func lookupFetch(name string) (*fetch, spec.Match) {
	for i := range fetches {
		f := &fetches[i]
		if f.name == name {
			return f, [...]spec.Match{spec.MatchBool, spec.MatchInt, spec.MatchIP, spec.MatchExact}[f.returns]
		}
		end, found := strings.CutPrefix(name, f.name+"_")
		if !found || !f.derived {
			continue
		}
		for _, m := range matches {
			if m.name == end && slices.Contains([]string{"beg", "end", "sub", "dir", "dom", "len", "reg"}, end) {
				return f, m.value
			}
		}
	}
	return nil, 0
}

func (a *args) unknownFetch(w conf.Word, name string) {
	refused := refusedFetches()
	base, _, _ := strings.Cut(name, "_")
	if slices.Contains(refused, name) || slices.Contains(refusedDerived, base) {
		a.fail(w, "", "criterion '%s' is known, not supported yet", name)
		return
	}
	var names []string // those that work first: the first of the nearest is proposed
	for _, f := range fetches {
		names = append(names, f.name)
		if f.derived {
			names = append(names, f.name+"_beg", f.name+"_end", f.name+"_sub", f.name+"_dir", f.name+"_dom", f.name+"_len", f.name+"_reg")
		}
	}
	names = append(names, refused...)
	a.fail(w, didYouMean(name, names), "unknown fetch method '%s' in ACL expression '%s'", name, w.Text)
}

func (a *args) fetchArg(p *proxy, w conf.Word, f *fetch, arg string, hasArg bool, t *spec.Test) {
	switch {
	case f.arg == "" && hasArg && arg != "":
		a.fail(w, "", "'%s' takes no argument", f.name)
	case f.arg == "":
	case f.value == spec.FetchNbSrv:
		if arg == "" {
			if p.kind&inBackend == 0 {
				a.fail(w, "write nbsrv(BACKEND)", "'nbsrv' without an argument means this proxy, but %s '%s' has no backend capability", p.word, p.name.Text)
				return
			}
			arg = p.name.Text
		}
		t.Arg = arg
		pos := w.Pos
		if !w.Quoted && hasArg {
			pos.Col += strings.IndexByte(w.Text, '(') + 1
		}
		p.l.nbsrv = append(p.l.nbsrv, nbsrvRef{arg, pos})
	case arg == "": // every header
	case strings.Contains(arg, ","):
		a.fail(w, "", "the occurrence in '%s' is known, not supported yet", w.Text)
	case !isToken(arg):
		a.fail(w, "", "'%s' is not a header name", arg)
	default:
		t.Arg = arg
	}
}

// flags reads -i, -m and the others, up to -- or the first pattern.
func (a *args) flags(f fetch, t *spec.Test) {
	for a.more() {
		word := a.peek()
		if len(word) < 2 || word[0] != '-' {
			return
		}
		w, _ := a.next("")
		switch word {
		case "--":
			return
		case "-i":
			t.NoCase = true
		case "-n": // patterns are never looked up in DNS anyway
		case "-m":
			a.matchFlag(f, t)
		case "-f", "-M", "-u":
			a.fail(w, "write the values on the line", "ACL flag '%s' is known, not supported yet", word)
		default:
			a.fail(w, "write -- before a value that begins with -", "'%s' is not a valid ACL option", word)
		}
	}
}

func (a *args) matchFlag(f fetch, t *spec.Test) {
	w, ok := a.next("a matching method")
	if !ok {
		return
	}
	var names []string
	for _, m := range matches {
		names = append(names, m.name)
		if m.name != w.Text {
			continue
		}
		if m.fits != nil && !slices.Contains(m.fits, f.returns) {
			a.fail(w, "", "matching method '%s' cannot be used with '%s'", w.Text, f.name)
		}
		t.Match = m.value
		return
	}
	if w.Text == "bin" {
		a.fail(w, "", "matching method 'bin' is known, not supported yet")
		return
	}
	a.fail(w, didYouMean(w.Text, names), "unknown matching method '%s'", w.Text)
}

// patterns reads the values, all the words that are left.
func (a *args) patterns(criterion conf.Word, t *spec.Test) {
	if a.failed {
		return
	}
	if t.Match == spec.MatchBool || t.Match == spec.MatchFound {
		a.i = len(a.words) // no value is needed and all are ignored: chapter 7.1.1
		return
	}
	if !a.more() && a.words[a.i-1].Text != "--" {
		a.errs.Warnf(criterion.Pos, "add a value, or `-m found` to test that it is there",
			"no pattern to match '%s' against, so this ACL will never match", criterion.Text)
	}
	operator := "eq"
	for a.more() {
		w, _ := a.next("")
		switch t.Match {
		case spec.MatchInt, spec.MatchLen:
			if slices.Contains([]string{"eq", "ge", "gt", "le", "lt"}, w.Text) {
				operator = w.Text
				if !a.more() {
					a.fail(w, "", "'%s' expects a number", w.Text)
				}
				continue
			}
			t.Ints = append(t.Ints, a.intPattern(w, operator))
		case spec.MatchIP:
			prefix, ok := parseNetwork(w.Text)
			if !ok {
				a.fail(w, "write an address or network; host names are not looked up here", "'%s' is not a valid IPv4 or IPv6 address", w.Text)
			}
			t.Prefixes = append(t.Prefixes, prefix)
		case spec.MatchRegex:
			t.Regexps = append(t.Regexps, a.regexPattern(w, t.NoCase))
		default:
			t.Strings = append(t.Strings, w.Text)
		}
	}
}

func (a *args) regexPattern(w conf.Word, noCase bool) *regexp.Regexp {
	text := w.Text
	if noCase {
		text = "(?i:" + text + ")"
	}
	re, err := regexp.Compile(text)
	if err != nil {
		hint := ""
		if strings.Contains(err.Error(), "Perl") || strings.Contains(err.Error(), "escape") {
			hint = "lookaround and back references are not supported"
		}
		a.fail(w, hint, "regular expression '%s': %s", w.Text, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re
}

// intPattern reads a number, lo:hi, lo: or :hi. The bounds stay clear of the
// ends of int64 so that gt and lt cannot overflow.
func (a *args) intPattern(w conf.Word, operator string) spec.IntRange {
	const limit = math.MaxInt64 / 2
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n > limit || n < -limit || s[0] == '+' {
			a.fail(w, "", "'%s' is not a number", w.Text)
		}
		return n
	}
	low, high, isRange := strings.Cut(w.Text, ":")
	if isRange {
		r := spec.IntRange{Lo: math.MinInt64, Hi: math.MaxInt64}
		if low != "" {
			r.Lo = number(low)
		}
		if high != "" {
			r.Hi = number(high)
		}
		if r.Lo > r.Hi || low == "" && high == "" {
			a.fail(w, "", "'%s' is not a valid number range", w.Text)
		}
		if operator != "eq" {
			a.fail(w, "use a single number", "operator '%s' makes no sense with the range '%s'", operator, w.Text)
		}
		return r
	}
	n := number(low)
	switch operator {
	case "ge":
		return spec.IntRange{Lo: n, Hi: math.MaxInt64}
	case "gt":
		return spec.IntRange{Lo: n + 1, Hi: math.MaxInt64}
	case "le":
		return spec.IntRange{Lo: math.MinInt64, Hi: n}
	case "lt":
		return spec.IntRange{Lo: math.MinInt64, Hi: n - 1}
	}
	return spec.IntRange{Lo: n, Hi: n}
}
