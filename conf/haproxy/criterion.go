package haproxy

import (
	"slices"
	"strings"

	"baton/conf"
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/spec"
)

// criterion is the name of an ACL criterion that is not simply a fetch with the
// method of its type.
type criterion struct {
	name   string
	fetch  string
	method pattern.Method
	dotted bool // versions as MAJOR.MINOR
}

var criteria = slices.Concat(
	[]criterion{
		{"cook", "req.cook", pattern.Str, false},
		{"hdr", "req.hdr", pattern.Str, false},   // the fetch takes a response's while there is one
		{"method", "method", pattern.Str, false}, // alone of its type it has one: meth(GET) has none
		{"payload", "req.payload", pattern.Bin, false},
		{"payload_lv", "req.payload_lv", pattern.Bin, false},
		{"req.payload", "req.payload", pattern.Bin, false},
		{"req.payload_lv", "req.payload_lv", pattern.Bin, false},
		{"req.ssl_ver", "req.ssl_ver", pattern.Int, true},
		{"req_ssl_ver", "req.ssl_ver", pattern.Int, true},
		{"scook", "res.cook", pattern.Str, false},
		{"shdr", "res.hdr", pattern.Str, false},
	},
	derived("base", "base"), derived("cook", "req.cook"), derived("hdr", "req.hdr"), derived("path", "path"),
	derived("scook", "res.cook"), derived("shdr", "res.hdr"), derived("url", "url"), derived("urlp", "urlp"),
)

// derived are hdr_beg, hdr_dir, ...: a fetch with each method on strings.
func derived(name, fetch string) []criterion {
	var rows []criterion
	for _, m := range []pattern.Method{pattern.Beg, pattern.Dir, pattern.Dom, pattern.End, pattern.Len, pattern.Reg, pattern.Sub} {
		rows = append(rows, criterion{name + "_" + m.String(), fetch, m, false})
	}
	return rows
}

// testReader is the state of reading one test.
type testReader struct {
	*args
	p         *proxy
	t         *spec.Test
	criterion conf.Word
	o         pattern.Options
	values    []string // patterns not compiled yet
	lines     []pattern.Line
	asMap     bool
	given     bool // -m was there
}

// test reads a criterion, its flags and its patterns: all the words left.
func (a *args) test(p *proxy) spec.Test {
	var t spec.Test
	w, ok := a.next("a criterion")
	if !ok {
		return t
	}
	r := testReader{args: a, p: p, t: &t, criterion: w}
	if r.readCriterion(); !a.failed {
		r.flags()
	}
	if !a.failed {
		r.patterns()
	}
	t.Match = r.o.Method
	return t
}

// readCriterion reads `hdr_beg(host),lower`: an expression and the method that it
// implies.
func (r *testReader) readCriterion() {
	text := r.criterion.Text
	name := text
	if i := strings.IndexAny(text, "(,"); i >= 0 {
		name = text[:i]
	}
	o := r.p.exprOptions()
	i := slices.IndexFunc(criteria, func(c criterion) bool { return c.name == name })
	switch {
	case i >= 0:
		o.Fetch = criteria[i].fetch
	case !slices.Contains(sample.FetchNames(), name) && !slices.ContainsFunc(sample.LaterFetches(), func(k sample.Keyword) bool { return k.Name == name }):
		r.unknownCriterion(name)
		return
	}
	if r.t.Expr = r.parseExpr(r.p, r.criterion, o); r.t.Expr == nil {
		return
	}
	if name == authGroup && r.t.Expr.Converted() {
		r.fail(r.criterion, "", "'%s' as a criterion takes no converters: it compares groups", name)
		return
	}
	r.o.Method = defaultMethod(r.t.Expr.Type())
	if i >= 0 && !r.t.Expr.Converted() { // a converter's type counts more than the criterion's name
		r.o.Method, r.o.Dotted = criteria[i].method, criteria[i].dotted
	}
}

// defaultMethod follows the table of chapter 7.1. What has none must be given one by -m.
func defaultMethod(t sample.Type) pattern.Method {
	switch t {
	case sample.Bool:
		return pattern.Bool
	case sample.Int:
		return pattern.Int
	case sample.Addr, sample.IPv4, sample.IPv6:
		return pattern.IP
	case sample.Str:
		return pattern.Str
	}
	return noMethod // a variable's type is known when it is read
}

const noMethod = pattern.Method(255)

func (r *testReader) unknownCriterion(name string) {
	names := sample.FetchNames() // those that work first: the first of the nearest is proposed
	for _, c := range criteria {
		names = append(names, c.name)
	}
	for _, k := range sample.LaterFetches() {
		names = append(names, k.Name)
	}
	r.fail(r.criterion, didYouMean(name, names), "unknown fetch method '%s' in ACL expression '%s'", name, r.criterion.Text)
}

// methodType is what a sample is made before it is compared.
func methodType(m pattern.Method) sample.Type {
	switch m {
	case pattern.Found:
		return sample.Any
	case pattern.Bool:
		return sample.Bool
	case pattern.Int:
		return sample.Int
	case pattern.IP:
		return sample.Addr
	case pattern.Bin:
		return sample.Bin
	}
	return sample.Str
}

// flags reads -i, -m and the others, up to -- or the first pattern.
func (r *testReader) flags() {
	for r.more() {
		word := r.peek()
		if len(word) < 2 || word[0] != '-' {
			return
		}
		w, _ := r.next("")
		switch word {
		case "--":
			return
		case "-i":
			r.flush()
			r.o.FoldCase = true
		case "-n": // patterns are never looked up in DNS anyway
		case "-m":
			r.methodFlag(w)
		case "-M":
			r.asMap = true
		case "-u":
			r.integer("a number", 0, 1<<31-1)
		case "-f":
			r.file()
		default:
			r.fail(w, "write -- before a value that begins with -", "'%s' is not a valid ACL option", word)
		}
	}
}

func (r *testReader) methodFlag(flag conf.Word) {
	w, ok := r.next("a matching method")
	if !ok {
		return
	}
	m, ok := pattern.MethodOf(w.Text)
	if !ok {
		r.fail(w, didYouMean(w.Text, pattern.MethodNames()), "unknown matching method '%s'", w.Text)
		return
	}
	if r.t.Expr.Fetch() == authGroup {
		r.fail(flag, "", "'-m' cannot be used with '%s': it compares groups", authGroup)
		return
	}
	if len(r.t.Patterns) > 0 {
		r.fail(flag, "write -m before -f", "'-m' must stand before the patterns that it is for")
		return
	}
	if !r.t.Expr.CanBe(methodType(m)) {
		r.fail(w, "", "matching method '%s' cannot be used with '%s'", w.Text, r.t.Expr.Fetch())
	}
	r.o.Method, r.given = m, true
	r.o.Dotted = r.o.Dotted && m == pattern.Int
}

// usable complains about a sample without a method.
func (r *testReader) usable() bool {
	if r.o.Method == noMethod {
		r.fail(r.criterion, "write -m str, -m bin, -m found or another method behind it",
			"matching method must be specified first (using '-m') when using a sample fetch of this type ('%s')", r.t.Expr.Fetch())
		return false
	}
	return true
}

// file reads `-f FILE`.
func (r *testReader) file() {
	w, ok := r.next("a file")
	if !ok || !r.usable() {
		return
	}
	if r.o.Method == pattern.Found || r.o.Method == pattern.Bool {
		return // no value is needed and all are ignored
	}
	list, err := r.p.l.list(w.Text, r.asMap)
	if err != nil {
		r.fail(w, "", "%s", err)
		return
	}
	view, err := list.View(r.o)
	if err != nil {
		r.fail(w, "", "file '%s': %s", w.Text, err)
		return
	}
	r.t.Patterns = append(r.t.Patterns, spec.Patterns{File: w.Text, FoldCase: r.o.FoldCase, Set: view})
}

// patterns reads the values, all the words that are left.
func (r *testReader) patterns() {
	if !r.usable() {
		return
	}
	if r.o.Method == pattern.Bool || r.o.Method == pattern.Found {
		r.i = len(r.words) // no value is needed and all are ignored: chapter 7.1.1
		return
	}
	if !r.more() && r.t.Expr.Fetch() == authGroup && len(r.t.Patterns) == 0 {
		r.fail(r.criterion, "", "'%s' expects the names of groups", authGroup)
		return
	}
	if !r.more() && len(r.t.Patterns) == 0 && r.last().Text != "--" {
		r.errs.Warnf(r.criterion.Pos, "add a value, or `-m found` to test that it is there",
			"no pattern to match '%s' against, so this ACL will never match", r.criterion.Text)
	}
	operator := "eq"
	numbers := r.o.Method == pattern.Int || r.o.Method == pattern.Len
	for r.more() {
		w, _ := r.next("")
		if numbers && slices.Contains(pattern.Operators(), w.Text) {
			operator = w.Text
			if !r.more() {
				r.fail(w, "", "'%s' expects a number", w.Text)
			}
			continue
		}
		r.pattern(w, operator, numbers)
	}
	r.flush()
}

// pattern takes one value down, after it has been tried alone: its mistake is at
// its own place.
func (r *testReader) pattern(w conf.Word, operator string, numbers bool) {
	text := w.Text
	if numbers {
		var err error
		if text, err = pattern.Compare(operator, w.Text, r.o.Dotted); err != nil {
			r.fail(w, "", "%s", err)
			return
		}
	}
	line := pattern.Line{Pattern: text}
	if _, err := pattern.Compile(r.o, []pattern.Line{line}); err != nil {
		r.fail(w, patternHint(r.o.Method), "%s", err)
		return
	}
	if refs := r.t.Expr.Refs(); r.t.Expr.Fetch() == authGroup {
		r.p.l.groupRefs = append(r.p.l.groupRefs, groupRef{refs[0].Name, w})
	}
	r.values, r.lines = append(r.values, text), append(r.lines, line)
}

func patternHint(m pattern.Method) string {
	if m == pattern.IP {
		return "write an address or network; host names are not looked up here"
	}
	return ""
}

// flush compiles the values read so far.
func (r *testReader) flush() {
	if len(r.lines) == 0 || r.failed {
		return
	}
	set, err := pattern.Compile(r.o, r.lines)
	if err != nil {
		r.fail(r.criterion, "", "%s", err)
		return
	}
	r.t.Patterns = append(r.t.Patterns, spec.Patterns{Words: r.values, FoldCase: r.o.FoldCase, Set: set})
	r.values, r.lines = nil, nil
}
