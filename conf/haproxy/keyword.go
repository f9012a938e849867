package haproxy

import (
	"slices"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/logfmt"
	"baton/lb/sample"
)

// Status says what baton does with a keyword.
type Status uint8

// The statuses.
const (
	Done    Status = iota // works as the manual says
	Warned                // accepted with a warning: it cannot change what clients see
	Refused               // known, an error for now
)

func (s Status) String() string { return [...]string{"done", "warned", "refused"}[s] }

// Keyword is one row of the support matrix.
type Keyword struct {
	Table  string // section, global, proxy, bind, server, balance, cookie, http-request, http-response, tcp-request content, http-check, http-check expect, tcp-check, tcp-check expect, fetch, converter
	Name   string
	In     string // proxy keywords: the sections that may hold it
	Status Status
	Doc    string // what it does, or why baton does not do it
}

// section is a set of places where a proxy keyword may stand. A `listen`
// section is inFrontend|inBackend.
type section uint8

const (
	inDefaults section = 1 << iota
	inFrontend
	inBackend
	inNamed // in named defaults only: "X (!)" in the manual's matrix

	inAll = inDefaults | inFrontend | inBackend
)

func (s section) String() string {
	var names []string
	for _, n := range []struct {
		bit  section
		name string
	}{
		{inDefaults, "defaults"},
		{inNamed, "named defaults"},
		{inFrontend, "frontend"},
		{inFrontend | inBackend, "listen"},
		{inBackend, "backend"},
	} {
		if s&n.bit != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, " ")
}

// keyword is one row of a table whose lines or options change a T.
type keyword[T any] struct {
	name   string // one to three words
	in     section
	no     bool // `no` may stand before it
	status Status
	parse  func(T, *args) // Done: reads the arguments; Warned: checks them, may be nil
	doc    string         // Warned, Refused: shown as the hint
}

// parenthesized are the names that take arguments in parentheses, right behind them.
var parenthesized = []string{
	"add-acl", "del-acl", "del-map", "do-resolve", "hdr", "random", "rdp-cookie",
	"sc-add-gpc", "sc-inc-gpc", "sc-inc-gpc0", "sc-inc-gpc1", "sc-set-gpt", "sc-set-gpt0",
	"set-map", "set-var", "set-var-fmt", "unset-var",
}

// find returns the row whose words begin words, and how many words it took; the
// longest name wins. Arguments in parentheses are not part of a name:
// set-var(txn.x) is found as set-var.
func find[T any](table []keyword[T], words []conf.Word) (*keyword[T], int) {
	name := words[0].Text
	if before, _, found := strings.Cut(name, "("); found && slices.Contains(parenthesized, before) {
		name = before
	}
	var best *keyword[T]
	length := 0
	for i := range table {
		if !strings.HasPrefix(table[i].name, name) {
			continue
		}
		row := strings.Fields(table[i].name)
		if row[0] != name || len(row) <= length || len(row) > len(words) {
			continue
		}
		if slices.EqualFunc(row[1:], words[1:len(row)], func(s string, w conf.Word) bool { return s == w.Text }) {
			best, length = &table[i], len(row)
		}
	}
	return best, length
}

// unknown reports that words begin with no row of the table. When other rows
// share the first word (`option`, `timeout`) the second one is at fault.
func unknown[T any](errs *diag.List, table []keyword[T], words []conf.Word, where string, fits func(*keyword[T]) bool) {
	var firsts, seconds []string
	for i := range table {
		first, rest, _ := strings.Cut(table[i].name, " ")
		if fits(&table[i]) {
			firsts = append(firsts, first)
		}
		if first == words[0].Text && rest != "" {
			second, _, _ := strings.Cut(rest, " ")
			if !slices.Contains(seconds, second) {
				seconds = append(seconds, second)
			}
		}
	}
	switch {
	case len(seconds) == 0:
		errs.Errorf(words[0].Pos, didYouMean(words[0].Text, firsts), "unknown keyword '%s' in %s", words[0].Text, where)
	case len(words) == 1:
		hint := ""
		if len(seconds) < 20 {
			hint = "one of: " + strings.Join(seconds, ", ")
		}
		errs.Errorf(words[0].Pos, hint, "'%s' expects an argument", words[0].Text)
	default:
		hint := didYouMean(words[1].Text, seconds)
		if hint == "" && len(seconds) < 20 {
			hint = "one of: " + strings.Join(seconds, ", ")
		}
		errs.Errorf(words[1].Pos, hint, "unknown %s '%s'", words[0].Text, words[1].Text)
	}
}

// run applies a row whose words a has just read: the shared path of lines,
// options and actions.
func (k *keyword[T]) run(target T, a *args) {
	a.name, a.start = k.name, a.i
	switch {
	case a.no && !k.no:
		a.fail(a.words[0], "only options and `log` can be negated", "'no' does not apply to '%s'", k.name)
	case k.status == Refused && a.no:
		// Switching off what baton never switches on.
		a.i = len(a.words)
	case k.status == Refused:
		a.fail(a.words[a.i-1], k.doc, "'%s' is known, not supported yet", k.name)
	case k.status == Warned:
		pos := a.words[0].Pos
		if a.option {
			pos = a.words[a.i-1].Pos
		}
		a.errs.Unusedf(pos, k.doc, "'%s' has no effect", k.name)
		if k.parse == nil {
			if !a.option {
				a.i = len(a.words)
			}
			return
		}
		k.parse(target, a)
	default:
		k.parse(target, a)
	}
}

func didYouMean(word string, candidates []string) string {
	if near := diag.Nearest(word, candidates); near != "" {
		return "did you mean '" + near + "'?"
	}
	return ""
}

// Keywords returns the support matrix: every keyword of the manual that the
// tables hold, in the order of the tables.
func Keywords() []Keyword {
	var all []Keyword
	for _, s := range sections {
		all = append(all, Keyword{Table: "section", Name: s.name, Status: s.status, Doc: s.doc})
	}
	all = appendKeywords(all, "global", globalKeywords())
	all = appendKeywords(all, "proxy", proxyKeywords())
	all = appendKeywords(all, "bind", bindKeywords)
	all = appendKeywords(all, "server", serverKeywords)
	all = appendKeywords(all, "resolvers", resolversKeywords())
	all = appendKeywords(all, "http-errors", httpErrorsKeywords)
	all = appendKeywords(all, "userlist", userlistKeywords)
	all = appendKeywords(all, "log-profile", logProfileKeywords)
	all = appendKeywords(all, "ring", ringKeywords)
	all = appendKeywords(all, "ring server", ringServerKeywords)
	all = appendKeywords(all, "balance", algorithms)
	all = appendKeywords(all, "cookie", cookieOptions)
	all = appendKeywords(all, "http-request", httpRequestActions)
	all = appendKeywords(all, "http-response", httpResponseActions)
	all = appendKeywords(all, "http-after-response", httpAfterActions)
	all = appendKeywords(all, "tcp-request connection", tcpConnectionActions)
	all = appendKeywords(all, "tcp-request session", tcpActions)
	all = appendKeywords(all, "tcp-request content", tcpContentActions)
	all = appendKeywords(all, "tcp-response content", tcpResponseActions)
	all = appendKeywords(all, "http-check", httpCheckRules)
	all = appendKeywords(all, "http-check expect", httpExpectKeywords)
	all = appendKeywords(all, "tcp-check", tcpCheckRules)
	all = appendKeywords(all, "tcp-check expect", tcpExpectKeywords)
	for _, k := range sample.Fetches() {
		all = append(all, Keyword{Table: "fetch", Name: k.Name, Status: Done, Doc: k.Doc})
	}
	for _, k := range sample.LaterFetches() {
		all = append(all, Keyword{Table: "fetch", Name: k.Name, Status: Refused, Doc: k.Doc})
	}
	for _, k := range sample.Converters() {
		all = append(all, Keyword{Table: "converter", Name: k.Name, Status: Done, Doc: k.Doc})
	}
	for _, k := range sample.LaterConverters() {
		all = append(all, Keyword{Table: "converter", Name: k.Name, Status: Refused, Doc: k.Doc})
	}
	for _, a := range logfmt.Aliases() {
		all = append(all, Keyword{Table: "log-format", Name: "%" + a.Name, Status: Done, Doc: a.Doc})
	}
	for _, p := range conf.Predicates() {
		all = append(all, Keyword{Table: ".if", Name: p.Name, Status: Done, Doc: p.Doc})
	}
	return all
}

func appendKeywords[T any](all []Keyword, table string, rows []keyword[T]) []Keyword {
	for _, r := range rows {
		all = append(all, Keyword{Table: table, Name: r.name, In: r.in.String(), Status: r.status, Doc: r.doc})
	}
	return all
}
