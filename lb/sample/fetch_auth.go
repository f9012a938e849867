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
	if !ok {
		return false
	}
	u, known := c.check(a[0].Aux.(*userlist.List), user, pass)
	return known && s.setBool(u != nil)
}

// check asks a list for a user. While its password's hash is not computed the answer is
// not known, as if more bytes had to come.
func (c *Ctx) check(l *userlist.List, name, password []byte) (u *userlist.User, known bool) {
	if c.Auth == nil {
		return l.Check(name, password), true
	}
	if u = c.Auth.Check(l, name, password); c.Auth.Open != nil {
		c.Undecided = true
		return nil, false
	}
	return u, true
}

// runAuthGroup gives a criterion the user's groups one after the other.
func runAuthGroup(c *Ctx, a []Arg, s *Sample) bool {
	user, pass, ok := c.basicAuth()
	if !ok {
		return false
	}
	u, _ := c.check(a[0].Aux.(*userlist.List), user, pass)
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
