package vrrpnet

import (
	"fmt"
	"time"

	"baton/internal/mono"
	"baton/vrrp"
)

// Group is a vrrp_sync_group: instances that move together.
type Group struct {
	Name    string
	Members []string // names of instances, in the order of the file
}

// team is what is stepped as one: an instance alone, or a sync group. The VRRP
// thread owns it.
type team struct {
	name    string // of the sync group; "" for an instance alone
	place   int    // in roster.teams
	ahead   time.Duration
	group   *vrrp.Group
	members []*member     // in the order of group
	actions []vrrp.Action // scratch
}

// makeTeams puts every member into a team.
func (r *roster) makeTeams(groups []Group) error {
	for _, g := range groups {
		t := &team{name: g.Name}
		for _, name := range g.Members {
			m := r.byName[name]
			switch {
			case m == nil:
				return fmt.Errorf("vrrp: sync group %s: there is no instance %s", g.Name, name)
			case m.team != nil:
				return fmt.Errorf("vrrp: sync group %s: instance %s is in group %s already", g.Name, name, m.team.name)
			}
			m.team = t
			t.members = append(t.members, m)
		}
		if len(t.members) == 0 {
			return fmt.Errorf("vrrp: sync group %s has no members", g.Name)
		}
		r.teams = append(r.teams, t)
	}
	for _, m := range r.members {
		if m.team == nil {
			m.team = &team{members: []*member{m}}
			r.teams = append(r.teams, m.team)
		}
	}
	r.due = make([]mono.Time, len(r.teams))
	for i, t := range r.teams {
		t.place = i
		t.form()
		r.due[i] = t.group.Deadline()
	}
	return nil
}

// form makes the state machines of a team, in INIT.
func (t *team) form() {
	configs := make([]vrrp.Config, len(t.members))
	for i, m := range t.members {
		configs[i] = m.cfg
	}
	if t.name == "" {
		t.group = vrrp.NewGroup(configs...)
	} else {
		t.group = vrrp.NewSyncGroup(configs...)
	}
	for i, m := range t.members {
		t.ahead = max(t.ahead, vrrp.Lead(m.cfg.AdvertInterval))
		m.group, m.index = t.group, i
		m.publish()
	}
}
