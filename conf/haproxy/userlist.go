package haproxy

import (
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/userlist"
)

// The userlist sections of chapter 3.4, and what expressions name of them.

// authGroup is the fetch that as a criterion compares groups, not its sample.
const authGroup = "http_auth_group"

// userlistSection is a userlist section while it is read, or one that an expression
// has named before it was.
type userlistSection struct {
	list     *userlist.List
	declared bool
	pos      diag.Pos
	joins    []membership
}

// membership is a user in a group. Either may be declared later: word is the place of
// the line's list that names it.
type membership struct {
	user, group string
	word        conf.Word
}

// groupRef is a group that a condition names.
type groupRef struct {
	list string
	word conf.Word
}

var userlistKeywords = []keyword[*userlistSection]{
	{"group", 0, false, Done, userlistGroup, "a group, with its users"},
	{"user", 0, false, Done, userlistUser, "a user, with a password and groups"},
}

func (l *lowerer) userlistSection(name string) *userlistSection {
	for _, u := range l.userlists {
		if u.list.Name == name {
			return u
		}
	}
	u := &userlistSection{list: userlist.New(name)}
	l.userlists = append(l.userlists, u)
	return u
}

// userlistOf is for expressions: their lists may be filled later.
func (l *lowerer) userlistOf(name string) *userlist.List { return l.userlistSection(name).list }

func (l *lowerer) userlist(s *conf.Section) {
	u := &userlistSection{list: userlist.New("")} // for the mistakes in its lines alone
	if name, ok := l.sectionName(s); ok {
		named := l.userlistSection(name.Text)
		if named.declared {
			l.errs.Errorf(name.Pos, "", "userlist '%s' has the same name as another one at %s", name.Text, named.pos)
		} else {
			u = named
			u.declared, u.pos = true, s.Keyword.Pos
			l.cfg.Userlists = append(l.cfg.Userlists, u.list)
		}
	}
	lines(l, s, userlistKeywords, u, func(*keyword[*userlistSection], *args) bool { return true })
	for _, m := range u.joins {
		user := u.list.User(m.user)
		switch {
		case user == nil:
			l.errs.Errorf(m.word.Pos, didYouMean(m.user, u.list.Users()), "no user '%s' in userlist '%s'", m.user, u.list.Name)
		case !u.list.HasGroup(m.group):
			l.errs.Errorf(m.word.Pos, didYouMean(m.group, u.list.Groups()), "no group '%s' in userlist '%s'", m.group, u.list.Name)
		default:
			user.Join(m.group)
		}
	}
}

func userlistGroup(u *userlistSection, a *args) {
	name, ok := a.need("<group>")
	if !ok {
		return
	}
	added := u.list.AddGroup(name.Text)
	if !added {
		a.errs.Warnf(name.Pos, "write all its users into one line", "group '%s' exists already in userlist '%s': this line is ignored", name.Text, u.list.Name)
	}
	for a.more() {
		if !a.accept("users") {
			a.fail(a.words[a.i], "", "'group' only supports 'users', not '%s'", a.peek())
			return
		}
		users, ok := a.next("users, separated by commas")
		if ok && added {
			for user := range names(users) {
				u.joins = append(u.joins, membership{user, name.Text, users})
			}
		}
	}
}

// names are those of a list with commas; HAProxy skips empty ones.
func names(w conf.Word) func(func(string) bool) {
	return strings.FieldsFuncSeq(w.Text, func(r rune) bool { return r == ',' })
}

func userlistUser(u *userlistSection, a *args) {
	name, ok := a.need("<user>")
	if !ok {
		return
	}
	var password userlist.Password
	var groups []conf.Word
	given := false
	for a.more() {
		option, _ := a.next("")
		value, ok := a.next("a value")
		if !ok {
			return
		}
		switch option.Text {
		case "groups":
			groups = append(groups, value)
			continue
		case "insecure-password":
			password = userlist.Plain(value.Text)
		case "password":
			var err error
			if password, err = userlist.Hashed(value.Text); err != nil {
				a.fail(value, "make one by `mkpasswd -m sha-512` or `openssl passwd -6`", "password of user '%s': %s", name.Text, err)
				return
			}
		default:
			a.fail(option, "", "'user' only supports 'password', 'insecure-password' and 'groups', not '%s'", option.Text)
			return
		}
		if given {
			a.fail(option, "", "user '%s' has two passwords", name.Text)
		}
		given = true
	}
	if u.list.AddUser(name.Text, password) == nil {
		a.errs.Warnf(name.Pos, "", "user '%s' exists already in userlist '%s': this line is ignored", name.Text, u.list.Name)
		return
	}
	if !given {
		a.errs.Warnf(name.Pos, "add `password HASH`", "user '%s' has no password: nobody can be this user", name.Text)
	}
	for _, w := range groups {
		for group := range names(w) {
			u.joins = append(u.joins, membership{name.Text, group, w})
		}
	}
}

func (l *lowerer) checkUserlistRef(r exprRef) {
	if l.userlistSection(r.Name).declared {
		return
	}
	var names []string
	for _, u := range l.cfg.Userlists {
		names = append(names, u.Name)
	}
	l.errs.Errorf(r.pos, didYouMean(r.Name, names), "unable to find userlist '%s' referenced by %s", r.Name, r.fetch)
}

// checkGroupRefs refuses conditions on groups that are not there: they never match.
func (l *lowerer) checkGroupRefs() {
	for _, r := range l.groupRefs {
		u := l.userlistSection(r.list)
		if u.declared && !u.list.HasGroup(r.word.Text) {
			l.errs.Errorf(r.word.Pos, didYouMean(r.word.Text, u.list.Groups()), "no group '%s' in userlist '%s'", r.word.Text, r.list)
		}
	}
}
