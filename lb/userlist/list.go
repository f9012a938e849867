package userlist

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"sync/atomic"
)

// List is a `userlist` section. Once it is filled any number of goroutines may ask it.
type List struct {
	Name   string
	users  map[string]*User
	groups []string
}

// User is one user of a List.
type User struct {
	Name     string
	groups   []string
	password Password

	// Digests of the passwords last seen, see digest; nil: none yet.
	right, wrong atomic.Pointer[[sha256.Size]byte]
}

// Password is what a user's password is compared with. Nothing matches the zero value.
type Password struct {
	set   bool
	plain string
	hash  *hash // nil: plain
}

// Plain is the password of `insecure-password`.
func Plain(text string) Password { return Password{set: true, plain: text} }

// Hashed is the password of `password`, a hash of crypt(3). The error says why the form
// of the hash cannot be used.
func Hashed(text string) (Password, error) {
	h, err := parseHash(text)
	return Password{set: true, hash: h}, err
}

// New returns an empty list.
func New(name string) *List { return &List{Name: name, users: make(map[string]*User)} }

// AddUser adds a user; it returns nil when there is one of that name.
func (l *List) AddUser(name string, p Password) *User {
	if l.users[name] != nil {
		return nil
	}
	u := &User{Name: name, password: p}
	l.users[name] = u
	return u
}

// AddGroup adds a group, false when it is there already.
func (l *List) AddGroup(name string) bool {
	if l.HasGroup(name) {
		return false
	}
	l.groups = append(l.groups, name)
	return true
}

// User returns the user of that name, or nil.
func (l *List) User(name string) *User { return l.users[name] }

// HasGroup tells whether the group is there.
func (l *List) HasGroup(name string) bool { return slices.Contains(l.groups, name) }

// Users are the names of the users, sorted.
func (l *List) Users() []string {
	var names []string
	for name := range l.users {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Groups are the groups' names as they were added.
func (l *List) Groups() []string { return l.groups }

// Join puts the user into a group.
func (u *User) Join(group string) {
	if !slices.Contains(u.groups, group) {
		u.groups = append(u.groups, group)
	}
}

// Groups are those that the user is in.
func (u *User) Groups() []string { return u.groups }

// String tells everything but the passwords.
func (l *List) String() string {
	var b strings.Builder
	b.WriteString(l.Name + " groups(" + strings.Join(l.groups, ",") + ")")
	for _, name := range l.Users() {
		u := l.users[name]
		b.WriteString(" " + name + "[" + u.password.form() + "](" + strings.Join(u.groups, ",") + ")")
	}
	return b.String()
}

func (p Password) form() string {
	switch {
	case !p.set:
		return "none"
	case p.hash == nil:
		return "plain"
	}
	return p.hash.form.prefix
}

// find returns the user of that name whose password may be this one: right says that it
// is; where it is not known yet, q asks for it.
func (l *List) find(name, password []byte) (u *User, right bool, q *Question) {
	u = l.users[string(name)]
	switch {
	case u == nil || !u.password.set:
		return nil, false, nil
	case u.password.hash == nil:
		return u, subtle.ConstantTimeCompare(password, []byte(u.password.plain)) == 1, nil
	case len(password) > maxPassword:
		return u, false, nil
	}
	d := u.password.hash.digest(password)
	switch {
	case same(u.right.Load(), &d):
		return u, true, nil
	case same(u.wrong.Load(), &d):
		return u, false, nil
	}
	return u, false, &Question{user: u, digest: d, password: bytes.Clone(password)}
}

func same(kept, d *[sha256.Size]byte) bool {
	return kept != nil && subtle.ConstantTimeCompare(kept[:], d[:]) == 1
}
