package sample

import "baton/lb/userlist"

// The fetches that check a Basic authorization against a userlist section.

// userlist puts the list that an argument names into it.
func (p *parser) userlist(a *Arg, off int) {
	if p.o.Userlist == nil {
		p.fail(off, "", "a userlist ('"+a.Str+"') cannot be named here")
		return
	}
	a.Aux = p.o.Userlist(a.Str)
	p.refs = append(p.refs, Ref{RefUserlist, a.Str, off})
}

func runAuth(c *Ctx, a []Arg, s *Sample) bool {
	user, pass, ok := c.basicAuth()
	return ok && s.setBool(a[0].Aux.(*userlist.List).Check(user, pass) != nil)
}

// runAuthGroup gives a criterion the user's groups one after the other.
func runAuthGroup(c *Ctx, a []Arg, s *Sample) bool {
	user, pass, ok := c.basicAuth()
	if !ok {
		return false
	}
	u := a[0].Aux.(*userlist.List).Check(user, pass)
	if u == nil {
		return false
	}
	if !c.iterate {
		return s.setStr(user)
	}
	groups := u.Groups()
	if c.cur.field >= len(groups) {
		return false
	}
	c.cur.field++
	c.more = c.cur.field < len(groups)
	return s.setStr(bytesOf(groups[c.cur.field-1]))
}
