package vrrpnet

import (
	"fmt"

	"baton/internal/mono"
	"baton/vrrp"
)

// roster is who takes part: what a configuration makes of instances, groups, and
// the links that they share. A reload puts another in its place, so members and
// links know their configuration for good.
type roster struct {
	members []*member
	links   []*link // one per interface and family
	byName  map[string]*member
	byLink  map[linkKey]*link
	teams   []*team
	due     []mono.Time // the deadlines of teams, close together: each turn looks at all
}

func newRoster(instances []vrrp.Config, groups []Group) (*roster, error) {
	r := &roster{byName: map[string]*member{}, byLink: map[linkKey]*link{}}
	for _, c := range instances {
		if r.byName[c.Name] != nil {
			return nil, fmt.Errorf("vrrp: two instances are called %s", c.Name)
		}
		l := r.linkOf(c.Interface, c.IPv6)
		if other := l.members[c.VRID]; other != nil {
			return nil, fmt.Errorf("vrrp: instances %s and %s share virtual_router_id %d on %s", other.cfg.Name, c.Name, c.VRID, c.Interface)
		}
		if c.VirtualMAC && c.Unicast() {
			return nil, fmt.Errorf("vrrp: instance %s sends to peers from a virtual hardware address: who knows theirs?", c.Name)
		}
		l.framed = l.framed || c.VirtualMAC
		m := newMember(c, l)
		l.members[c.VRID], r.byName[c.Name] = m, m
		r.members = append(r.members, m)
	}
	if err := r.makePaths(); err != nil {
		return nil, err
	}
	if err := r.makeTeams(groups); err != nil {
		return nil, err
	}
	return r, nil
}

// linkOf finds or makes the link of an interface and family.
func (r *roster) linkOf(name string, six bool) *link {
	key := linkKey{name, six}
	l := r.byLink[key]
	if l == nil {
		l = newLink(key)
		r.byLink[key] = l
		r.links = append(r.links, l)
	}
	return l
}

// same finds the virtual router that a configuration speaks of: that of its VRID on
// its interface, whatever its name.
func (r *roster) same(c *vrrp.Config) *member {
	if l := r.byLink[linkKey{c.Interface, c.IPv6}]; l != nil {
		return l.members[c.VRID]
	}
	return nil
}
