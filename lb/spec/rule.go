package spec

import (
	"net/netip"
	"regexp"

	"baton/internal/diag"
)

// ACL is a named test. Several ACLs of one name are alternatives.
type ACL struct {
	Name string
	Test Test
	Pos  diag.Pos
}

// Test compares a sample with patterns: `hdr(host) -i www.example.com`.
type Test struct {
	Fetch    Fetch
	Arg      string // header name, backend name
	Match    Match
	NoCase   bool             // -i
	Strings  []string         // MatchExact, MatchBegin, MatchEnd, MatchSub, MatchDir, MatchDom
	Regexps  []*regexp.Regexp // MatchRegex
	Prefixes []netip.Prefix   // MatchIP
	Ints     []IntRange       // MatchInt
}

// Fetch is what a test looks at.
type Fetch uint8

// The fetches built so far; see chapter 7.3 of the configuration manual.
const (
	FetchTrue Fetch = iota
	FetchFalse
	FetchPath // path without the query
	FetchURL  // the request target as it came
	FetchMethod
	FetchHdr    // Arg: header name; each comma-separated value is tried
	FetchReqVer // "1.0", "1.1"
	FetchSrc
	FetchSrcPort
	FetchDst
	FetchDstPort
	FetchNbSrv // Arg: backend
	FetchSSLFc // false until TLS is here
)

// Match is how a sample is compared.
type Match uint8

// The match methods; see chapter 7.1.3 of the configuration manual.
const (
	MatchBool Match = iota
	MatchFound
	MatchExact
	MatchBegin
	MatchEnd
	MatchSub
	MatchDir
	MatchDom
	MatchLen
	MatchRegex
	MatchInt
	MatchIP
)

// Cond is a condition in disjunctive form: any And whose terms all hold.
// Unless turns the whole result round (`unless` instead of `if`).
type Cond struct {
	Or     [][]Term
	Unless bool
	Pos    diag.Pos
}

// Term is one test of a condition. Any lists the alternatives (a named ACL may
// have several lines); the term holds when one of them does, or none with Not.
type Term struct {
	Not bool
	Any []Test
}

// HTTPRule is one http-request or http-response line.
type HTTPRule struct {
	Action Action
	Name   string // header name
	Value  string // literal header value
	Status int    // ActionDeny: default 403
	Code   int    // ActionRedirect: 301, 302, 303, 307, 308
	Target string // ActionRedirect: location, prefix or scheme
	Kind   RedirectKind
	Cond   *Cond
	Pos    diag.Pos
}

// Action is what an HTTP rule does.
type Action uint8

// The actions built so far.
const (
	ActionAddHeader Action = iota
	ActionSetHeader
	ActionDelHeader
	ActionDeny
	ActionAllow
	ActionRedirect
)

// RedirectKind is the form of a redirect.
type RedirectKind uint8

// The redirect forms.
const (
	RedirectLocation RedirectKind = iota
	RedirectPrefix
	RedirectScheme
)
