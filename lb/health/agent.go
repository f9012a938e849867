package health

import (
	"strconv"
	"strings"
)

// Advice is what an agent wants of its server, beside what it says of up and down
// (chapter 5.2, agent-check).
type Advice struct {
	Weight  int // percent of the configured one; Unsaid: as it is
	Maxconn int // Unsaid: as it is
	Admin   Admin
}

// Unsaid is a number of an Advice that the agent has not given.
const Unsaid = -1

// Admin is an administrative state.
type Admin uint8

// The states that an agent can ask for.
const (
	AdminUnsaid Admin = iota
	AdminReady
	AdminDrain // no new clients
	AdminMaint // out of service, not checked
)

// ReadAgent reads an agent's line: words between spaces, tabs and commas, in any
// order, and behind a sharp why the server is down. A word that is none of them means
// nothing, as in HAProxy.
func ReadAgent(line string) Result {
	if i := strings.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	words, why, _ := strings.Cut(line, "#")
	advice := &Advice{Weight: Unsaid, Maxconn: Unsaid}
	r := Result{Status: Same, Advice: advice}
	for _, word := range strings.FieldsFunc(words, func(c rune) bool { return c == ' ' || c == '\t' || c == ',' }) {
		switch word {
		case "ready":
			advice.Admin = AdminReady
		case "drain":
			advice.Admin = AdminDrain
		case "maint":
			advice.Admin = AdminMaint
		case "up":
			r.Status, r.Info = L7OK, "via agent : up"
		case "down", "fail", "failed", "stopped":
			r.Status, r.Info = L7Status, "via agent : "+word
			if why = strings.TrimSpace(why); why != "" {
				r.Info += " (" + why + ")"
			}
		default:
			advice.number(word)
		}
	}
	return r
}

// number reads 75% and maxconn:30.
func (a *Advice) number(word string) {
	const most = 1 << 20
	if text, ok := strings.CutSuffix(word, "%"); ok {
		if n, err := strconv.Atoi(text); err == nil && 0 <= n && n <= most {
			a.Weight = n
		}
	}
	if text, ok := strings.CutPrefix(word, "maxconn:"); ok {
		if n, err := strconv.Atoi(text); err == nil && 0 <= n && n <= most {
			a.Maxconn = n
		}
	}
}
