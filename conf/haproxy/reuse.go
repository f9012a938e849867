package haproxy

import (
	"slices"
	"strconv"

	"baton/lb/spec"
)

// How requests share server connections, and when they are sent again.
var reuseKeywords = []keyword[*proxy]{
	{"http-reuse", back, false, Done, parseReuse, "which idle server connections a request may take, default safe"},
	{"retry-on", back, false, Done, parseRetryOn, "failures after which a request is sent again, default conn-failure"},
}

func parseReuse(p *proxy, a *args) {
	w, ok := a.next("never, safe, aggressive or always")
	if !ok {
		return
	}
	for r := spec.ReuseSafe; r <= spec.ReuseAlways; r++ {
		if w.Text == r.String() {
			p.reuse = r
			return
		}
	}
	a.fail(w, "", "'http-reuse' expects never, safe, aggressive or always, not '%s'", w.Text)
}

// retryable are the statuses that retry-on takes.
var retryable = []int{401, 403, 404, 408, 425, 429, 500, 501, 502, 503, 504}

func parseRetryOn(p *proxy, a *args) {
	r := spec.RetryOn{NoConnFailure: true}
	const expects = "none, conn-failure, empty-response, junk-response, response-timeout, 0rtt-rejected, all-retryable-errors or a status"
	if !a.more() {
		a.next(expects)
		return
	}
	none := false
	for a.more() && !a.failed {
		w, _ := a.next(expects)
		switch w.Text {
		case "none":
			none = true
		case "conn-failure":
			r.NoConnFailure = false
		case "empty-response":
			r.EmptyResponse = true
		case "junk-response":
			r.JunkResponse = true
		case "response-timeout":
			r.ResponseTimeout = true
		case "0rtt-rejected": // nothing is ever sent as early data
		case "all-retryable-errors":
			r.NoConnFailure, r.EmptyResponse, r.JunkResponse, r.ResponseTimeout = false, true, true, true
			r.Statuses = append(r.Statuses, 500, 502, 503, 504)
		default:
			n, err := strconv.Atoi(w.Text)
			if err != nil || !slices.Contains(retryable, n) {
				a.fail(w, "statuses: 401, 403, 404, 408, 425, 429, 500, 501, 502, 503, 504", "'retry-on' expects %s, not '%s'", expects, w.Text)
				return
			}
			r.Statuses = append(r.Statuses, n)
		}
		if none && (len(a.words)-a.start > 1) {
			a.fail(w, "write it alone", "'none' stands with other keywords")
			return
		}
	}
	slices.Sort(r.Statuses)
	r.Statuses = slices.Compact(r.Statuses)
	p.retryOn = r
}
