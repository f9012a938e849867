package kernel

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"baton/internal/mono"
	"baton/vip"
)

// routeRetry is the pause after a route or rule that the kernel refused: as a rule
// its interface is down, which Watch tells of, or somebody has to mend the
// configuration.
const routeRetry = time.Second

// routing is what a Manager knows about the routes and rules of the configuration.
// They have no lease: the kernel knows none for them. What a dead process leaves of
// them is removed at the next start and by Release.
type routing struct {
	used  bool // the configuration has some
	rules bool // rules too
	retry mono.Time
	lost  atomic.Bool      // Watch saw one go, or an interface change
	errs  map[string]error // by the text of the route or rule
}

func (r *routing) init(cfgs []vip.Config) {
	r.retry, r.errs = mono.Never, map[string]error{}
	for _, c := range cfgs {
		if len(c.Routes)+len(c.Rules) > 0 {
			r.used = true
		}
		r.rules = r.rules || len(c.Rules) > 0
		if c.Static {
			r.lost.Store(true) // they are wanted from the first Tick on
		}
	}
}

// errorOf joins what went wrong with the routes and rules of an instance.
func (r *routing) errorOf(c vip.Config) string {
	if len(r.errs) == 0 {
		return ""
	}
	var texts []string
	for _, route := range c.Routes {
		if err := r.errs[route.String()]; err != nil {
			texts = append(texts, err.Error())
		}
	}
	for _, rule := range c.Rules {
		if err := r.errs[rule.String()]; err != nil {
			texts = append(texts, err.Error())
		}
	}
	return strings.Join(texts, "\n")
}

// syncRouting brings the routes and rules in line with what the keeper wants: the
// rules that go before the routes that they point to, the others behind them. A
// route that cannot be had is logged, shown in Status and tried again; it does not
// take the addresses from this node, as with keepalived.
func (m *Manager) syncRouting(now mono.Time) {
	if !m.routing.used {
		return
	}
	clear(m.routing.errs)
	m.routing.retry = mono.Never
	fail := func(about string, err error) {
		m.complain(about, err)
		if err != nil {
			m.routing.errs[about] = err
			m.routing.retry = now.Add(routeRetry)
		}
	}

	var oldRules, newRules []vip.Rule
	if m.routing.rules {
		rules, err := listRules()
		fail("list of rules", err)
		if err == nil {
			oldRules, newRules = vip.DiffRules(rules, m.keeper.WantRules(nil))
		}
	}
	for _, r := range oldRules {
		fail(r.String(), deleteRule(m.nl, r))
	}
	m.syncRoutes(fail)
	for _, r := range newRules {
		fail(r.String(), addRule(m.nl, r))
	}
}

func (m *Manager) syncRoutes(fail func(about string, err error)) {
	routes, err := m.listRoutes()
	fail("list of routes", err)
	if err != nil {
		return
	}
	old, missing := vip.DiffRoutes(routes, m.keeper.WantRoutes(nil))
	// The missing first, so that a destination whose route changes is never without
	// one; where the kernel takes both for the same, the old one goes first.
	for _, r := range missing {
		err := m.addRoute(r)
		if errors.Is(err, syscall.EEXIST) && m.makeRoom(r, old) {
			err = m.addRoute(r)
		}
		if errors.Is(err, syscall.EEXIST) {
			err = fmt.Errorf("%w: there is one already that was not put there by baton: remove it, or give this one another metric", err)
		}
		fail(r.String(), err)
	}
	for _, r := range old {
		fail(r.String(), m.deleteRoute(r))
	}
}

// makeRoom removes those of ours that the kernel may take for the same as r.
func (m *Manager) makeRoom(r vip.Route, old []vip.Route) (removed bool) {
	for _, o := range old {
		if o.To == r.To && o.Table == r.Table && m.deleteRoute(o) == nil {
			removed = true
		}
	}
	return removed
}
