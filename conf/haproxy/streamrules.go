package haproxy

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"baton/lb/sample"
	"baton/lb/spec"
	"baton/lb/uri"
)

// The rules that change how the present exchange, or its connections, are handled.

var limitNames = []string{"client", "connect", "queue", "server", "tarpit", "tunnel"} // by spec.Limit

// actionSetTimeout reads `client|connect|... TIME-OR-EXPRESSION`. All timeouts but that of
// the tarpit belong to one side, and so does the rule. With a response it is too late for
// those of the way to the server.
func actionSetTimeout(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionSetTimeout
	w, ok := a.need("one of " + strings.Join(limitNames, ", ") + ", and a time")
	if !ok {
		return
	}
	i := slices.Index(limitNames, w.Text)
	switch {
	case i < 0:
		a.fail(w, didYouMean(w.Text, limitNames), "'set-timeout' expects one of %s, not '%s'", strings.Join(limitNames, ", "), w.Text)
		return
	case i == int(spec.LimitClient) && r.p.kind&(inFrontend|inDefaults) == 0:
		a.fail(w, "move it to the frontend", "proxy '%s' has no frontend capability: its clients' timeout is the frontend's", r.p.name.Text)
		return
	case r.when == onResponse && slices.Contains([]spec.Limit{spec.LimitConnect, spec.LimitQueue, spec.LimitTarpit}, spec.Limit(i)):
		a.fail(w, "write it as http-request set-timeout", "the %s timeout is over when there is a response", w.Text)
		return
	case i != int(spec.LimitClient) && i != int(spec.LimitTarpit) && r.p.kind&(inBackend|inDefaults) == 0:
		a.fail(w, "move it to the backend", "proxy '%s' has no backend capability: the %s timeout is the backend's", r.p.name.Text, w.Text)
		return
	}
	r.rule.Limit = spec.Limit(i)
	r.time(a)
}

// actionPause reads `TIME-OR-EXPRESSION`.
func actionPause(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionPause
	r.time(a)
}

// time reads a time, or an expression of milliseconds: a word that begins with a digit is
// a time.
func (r *ruleLine) time(a *args) {
	const expects = "a time or an expression of milliseconds"
	switch next := a.peek(); {
	case next == "" && !a.failed:
		a.need(expects)
	case next != "" && '0' <= next[0] && next[0] <= '9':
		r.rule.Time, _ = a.duration(time.Millisecond)
	default:
		r.rule.Expr = a.exprWords(r.p, r.at())
	}
}

// actionNumber reads a number, decimal or 0x and hexadecimal, or an expression.
func actionNumber(action spec.Action, what string, most int64) func(*ruleLine, *args) {
	return func(r *ruleLine, a *args) {
		r.rule.Action = action
		next := a.peek()
		if next == "" || next[0] != '-' && (next[0] < '0' || next[0] > '9') {
			r.rule.Expr = a.exprWords(r.p, r.at())
			return
		}
		w, _ := a.next("")
		n, err := strconv.ParseInt(w.Text, 0, 64)
		if err != nil || n < 0 || n > most {
			a.fail(w, "", "'%s' is not %s, a number from 0 to %d, decimal or 0x...", w.Text, what, most)
		}
		r.rule.Number = int(n)
	}
}

// sides of connections whose packets can be marked.
var (
	actionSetMark       = actionNumber(spec.ActionSetMark, "a mark", math.MaxUint32)
	actionSetTOS        = actionNumber(spec.ActionSetTOS, "a type of service", math.MaxUint8)
	actionSetServerMark = actionNumber(spec.ActionSetServerMark, "a mark", math.MaxUint32)
	actionSetServerTOS  = actionNumber(spec.ActionSetServerTOS, "a type of service", math.MaxUint8)
)

// maxRetries is the most that set-retries may ask for, as the manual says.
const maxRetries = 100

func actionSetRetries(r *ruleLine, a *args) {
	if r.p.kind&(inBackend|inDefaults) == 0 {
		a.fail(a.last(), "move it to the backend", "proxy '%s' has no backend capability: it makes no connections to servers", r.p.name.Text)
		return
	}
	actionNumber(spec.ActionSetRetries, "a number of retries", maxRetries)(r, a)
}

func actionStrictMode(r *ruleLine, a *args) {
	switch w, ok := a.need("on or off"); {
	case !ok:
	case w.Text == "on":
		r.rule.Action = spec.ActionStrict
	case w.Text == "off":
		r.rule.Action = spec.ActionLenient
	default:
		a.fail(w, "", "'strict-mode' expects on or off, not '%s'", w.Text)
	}
}

// actionNormalizeURI reads `NORMALIZER [full|strict]`.
func actionNormalizeURI(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionNormalizeURI
	if !r.p.l.experimental {
		a.fail(a.last(), "write it into a global section before this line", "'normalize-uri' is experimental and must be allowed by 'expose-experimental-directives'")
		return
	}
	w, ok := a.need("the name of a normalizer")
	if !ok {
		return
	}
	n, known := uri.Lookup(w.Text, "")
	if !known {
		a.fail(w, didYouMean(w.Text, uri.Names()), "unknown normalizer '%s'", w.Text)
		return
	}
	if next := a.peek(); next != "" && next != "if" && next != "unless" {
		option, _ := a.next("")
		if n, known = uri.Lookup(w.Text, option.Text); !known {
			a.fail(option, "", "unknown option '%s' of the normalizer '%s'", option.Text, w.Text)
		}
	}
	r.rule.Normalizer = n
}

func parseExperimental(l *lowerer, _ *args) { l.experimental = true }

// actionEarlyHint reads `NAME FORMAT`.
func actionEarlyHint(r *ruleLine, a *args) { r.header(a, spec.ActionEarlyHint) }

// actionDoResolve reads `do-resolve(VAR,RESOLVERS[,ipv4|ipv6]) EXPRESSION`.
func actionDoResolve(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionDoResolve
	whole := a.last()
	more := r.variable(a)
	if a.failed {
		return
	}
	if len(more) == 0 || len(more) > 2 {
		a.fail(whole, "write do-resolve(txn.NAME,RESOLVERS,ipv4)", "'do-resolve' expects a variable and a resolvers section in parentheses, and ipv4 or ipv6")
		return
	}
	if len(more) == 2 {
		if more[1] != "ipv4" && more[1] != "ipv6" {
			a.fail(whole, "", "'do-resolve' prefers ipv4 or ipv6, not '%s'", more[1])
			return
		}
		r.rule.PreferIPv4 = more[1] == "ipv4"
	}
	r.rule.Resolvers = r.p.l.namedResolvers(more[0], whole)
	if r.rule.Expr = a.exprWords(r.p, r.at()); r.rule.Expr != nil && !r.rule.Expr.CanBe(sample.Str) {
		a.fail(a.last(), "", "'%s' is no host name", r.rule.Expr.Fetch())
	}
}
