package haproxy

import (
	"math"
	"slices"
	"strings"

	"baton/conf"
	"baton/lb/sample"
	"baton/lb/spec"
)

// balanceKeywords are the lines that say how a backend chooses servers.
var balanceKeywords = []keyword[*proxy]{
	{"balance", back, false, Done, parseBalance, "the algorithm; see the balance algorithms"},
	{"hash-balance-factor", back, false, Done, parseHashFactor, "most load of one server, in percent of the average; for hash-type consistent and random"},
	{"hash-preserve-affinity", back, false, Done, parseAffinity, "always, maxconn or maxqueue: when a key leaves its server; for hash-type consistent"},
	{"hash-type", back, false, Done, parseHashType, "map-based or consistent; sdbm, djb2, wt6 or crc32; avalanche"},
}

// algorithms are the words after `balance`. hdr, random and rdp-cookie carry an
// argument in parentheses.
var algorithms = []keyword[*balanceLine]{
	{"first", 0, false, Done, plain(spec.First), "the first server that is not full, by id"},
	{"hash", 0, false, Done, balanceHash, "hash of a sample expression"},
	{"hdr", 0, false, Done, balanceHeader, "hash of a header's first value; use_domain_only"},
	{"leastconn", 0, false, Done, plain(spec.LeastConn), "the least load for its weight"},
	{"random", 0, false, Done, balanceRandom, "the least loaded of n (2) servers drawn by chance"},
	{"rdp-cookie", 0, false, Done, balanceRDP, "hash of a cookie of an RDP connection request, mstshash by default"},
	{"roundrobin", 0, false, Done, plain(spec.RoundRobin), "in turns, by weight (the default)"},
	{"source", 0, false, Done, plain(spec.SourceHash), "hash of the client's address"},
	{"static-rr", 0, false, Done, plain(spec.StaticRR), "in turns; a slow start does not change the weights"},
	{"uri", 0, false, Done, balanceURI, "hash of the URI; len, depth, whole, path-only"},
	{"url_param", 0, false, Done, balanceParam, "hash of a parameter; check_post"},
}

// balanceLine is a `balance` line being read.
type balanceLine struct {
	spec.Balance
	p     *proxy
	word  conf.Word // the algorithm as written
	arg   string    // what stands in its parentheses
	paren bool      // it has some
}

func parseBalance(p *proxy, a *args) {
	w, ok := a.next("an algorithm")
	if !ok {
		return
	}
	k, _ := find(algorithms, []conf.Word{w})
	if k == nil {
		name, _, _ := strings.Cut(w.Text, "(")
		var names []string
		for _, row := range algorithms {
			names = append(names, row.name)
		}
		a.fail(w, didYouMean(name, names), "unknown balance algorithm '%s'", w.Text)
		return
	}
	b := &balanceLine{p: p, word: w, Balance: p.balance}
	// What an inherited line says of its algorithm does not hold for this one.
	b.Name, b.Len, b.Depth, b.Draws, b.Expr = "", 0, 0, 0, nil
	b.Whole, b.PathOnly, b.CheckPost, b.DomainOnly = false, false, false, false
	if i := strings.IndexByte(w.Text, '('); i >= 0 {
		b.paren = true
		if b.arg, ok = strings.CutSuffix(w.Text[i+1:], ")"); !ok {
			a.fail(w, "", "missing closing parenthesis in '%s'", w.Text)
			return
		}
	}
	if k.status == Refused {
		a.fail(w, k.doc, "'balance %s' is known, not supported yet", k.name)
		return
	}
	k.parse(b, a)
	if !a.failed {
		p.balance = b.Balance
	}
}

// plain is an algorithm without arguments.
func plain(v spec.Algorithm) func(*balanceLine, *args) {
	return func(b *balanceLine, a *args) {
		b.Algorithm = v
		if b.paren {
			a.fail(b.word, "", "'balance %s' takes no argument", v)
		}
	}
}

func balanceHeader(b *balanceLine, a *args) {
	b.Algorithm, b.Name = spec.ByHeader, strings.ToLower(b.arg)
	name := b.word
	name.Text = b.arg
	switch {
	case b.arg == "":
		a.fail(b.word, "write balance hdr(<name>)", "'balance hdr' requires a header name")
	case !a.headerName(name):
	case a.accept("use_domain_only"):
		b.DomainOnly = true
	case a.more():
		a.fail(a.words[a.i], "", "'balance hdr' only accepts 'use_domain_only', not '%s'", a.peek())
	}
}

// balanceHash reads `balance hash EXPRESSION`.
func balanceHash(b *balanceLine, a *args) {
	plain(spec.ByExpr)(b, a)
	b.Expr = a.exprWords(b.p, sample.AtServerChoice)
}

func balanceRandom(b *balanceLine, a *args) {
	b.Algorithm, b.Draws = spec.Random, 2
	if b.arg != "" {
		n, ok := parseInt(b.arg, 1, math.MaxInt32)
		if !ok {
			a.fail(b.word, "", "'%s' is not a number of draws, a whole number from 1", b.arg)
		}
		b.Draws = n
	}
}

func balanceURI(b *balanceLine, a *args) {
	plain(spec.ByURI)(b, a)
	options := []string{"len", "depth", "whole", "path-only"}
	for a.more() {
		switch w, _ := a.next(""); w.Text {
		case "len":
			b.Len, _ = a.integer("a number of characters", 1, math.MaxInt32)
		case "depth":
			b.Depth, _ = a.integer("a number of directories", 1, math.MaxInt32)
		case "whole":
			b.Whole = true
		case "path-only":
			b.PathOnly = true
		default:
			a.fail(w, didYouMean(w.Text, options), "'balance uri' only accepts %s, not '%s'", quoted(options), w.Text)
		}
	}
}

func balanceParam(b *balanceLine, a *args) {
	plain(spec.ByParam)(b, a)
	w, ok := a.need("the name of a URL parameter")
	if !ok {
		return
	}
	b.Name = w.Text
	switch {
	case a.accept("check_post"):
		b.CheckPost = true
		if _, number := parseInt(a.peek(), 0, math.MaxInt32); number {
			a.i++ // how many bytes to wait for, of old; without effect
		}
	case a.more():
		a.fail(a.words[a.i], "", "'balance url_param' only accepts 'check_post', not '%s'", a.peek())
	}
}

func parseHashType(p *proxy, a *args) {
	b := &p.balance
	w, ok := a.next("'map-based' or 'consistent'")
	switch {
	case !ok:
		return
	case w.Text == "map-based", w.Text == "consistent":
		b.Consistent = w.Text == "consistent"
	case w.Text == "avalanche":
		a.fail(w, "write `hash-type map-based sdbm avalanche`", "'hash-type avalanche' does not exist any more")
		return
	default:
		methods := []string{"map-based", "consistent"}
		a.fail(w, didYouMean(w.Text, methods), "'hash-type' only supports %s, not '%s'", quoted(methods), w.Text)
		return
	}
	// Without a function consistent hashing uses sdbm with avalanche.
	b.Function, b.Avalanche = spec.SDBM, b.Consistent
	if !a.more() {
		return
	}
	functions := []string{spec.SDBM.String(), spec.DJB2.String(), spec.WT6.String(), spec.CRC32.String()}
	f, _ := a.next("")
	i := slices.Index(functions, f.Text)
	if i < 0 {
		a.fail(f, didYouMean(f.Text, functions), "'hash-type' only supports the functions %s, not '%s'", quoted(functions), f.Text)
		return
	}
	b.Function, b.Avalanche = spec.HashFunction(i), a.accept("avalanche")
	if a.more() {
		a.fail(a.words[a.i], "", "'hash-type' only supports 'avalanche' after the function, not '%s'", a.peek())
	}
}

func parseHashFactor(p *proxy, a *args) {
	n, ok := a.integer("a percentage", 0, math.MaxInt32/2)
	if ok && n > 0 && n <= 100 {
		a.fail(a.last(), "write 0 for no limit", "'hash-balance-factor' must be 0 or greater than 100")
	}
	p.balance.Factor = n
}

// parseAffinity reads when a key is to leave its server; the words are in the order of
// spec.Affinity.
func parseAffinity(p *proxy, a *args) {
	words := []string{"always", "maxconn", "maxqueue"}
	w, ok := a.next(quoted(words))
	i := slices.Index(words, w.Text)
	if ok && i < 0 {
		a.fail(w, didYouMean(w.Text, words), "'hash-preserve-affinity' only supports %s, not '%s'", quoted(words), w.Text)
		return
	}
	p.balance.Affinity = spec.Affinity(max(i, 0))
}

// checkBalance drops what cannot work in mode tcp, as HAProxy does, and tells what has no
// effect.
func (p *proxy) checkBalance() {
	if p.kind&inBackend == 0 {
		return
	}
	if b := &p.balance; b.Affinity != spec.AffinityAlways && b.Algorithm.Hashes() && !b.Consistent {
		p.l.errs.Warnf(p.pos, "add `hash-type consistent`", "'hash-preserve-affinity' of %s '%s' has no effect: keys leave their servers along the ring of a consistent hash alone",
			p.word, p.name.Text)
	}
	if p.common.Mode == spec.HTTP {
		return
	}
	if e := p.balance.Expr; e != nil && e.HTTP() {
		p.l.errs.Warnf(p.pos, "add `mode http`", "'balance hash %s' not possible for %s '%s' because it is not in 'mode http'; falling back to roundrobin",
			e, p.word, p.name.Text)
		p.balance.Algorithm, p.balance.Expr = spec.RoundRobin, nil
	}
	switch p.balance.Algorithm {
	case spec.ByURI, spec.ByParam, spec.ByHeader:
		p.l.errs.Warnf(p.pos, "add `mode http`", "'balance %s' not possible for %s '%s' because it is not in 'mode http'; falling back to roundrobin",
			p.balance.Algorithm, p.word, p.name.Text)
		p.balance.Algorithm = spec.RoundRobin
	}
}
