package userlist

import "crypto/sha256"

// Asker asks for passwords on behalf of one request. What it has asked for is computed
// elsewhere, for that takes long.
type Asker struct {
	// Open is what has to be answered before Check can tell; nil: nothing.
	Open *Question

	answered *Question // the last one: the users' own memory may have forgotten it by now
}

// Question is whether a password is a user's. It belongs to nobody but who has it.
type Question struct {
	user     *User
	digest   [sha256.Size]byte
	password []byte
	right    bool
}

// Check returns the user whose name and password these are, or nil. With Open set it
// does not know yet. It allocates only then.
func (a *Asker) Check(l *List, name, password []byte) *User {
	u, right, q := l.find(name, password)
	if q != nil {
		if done := a.answered; done == nil || done.user != u || done.digest != q.digest {
			a.Open = q
			return nil
		}
		right = a.answered.right
	}
	if right {
		return u
	}
	return nil
}

// Answered notes that Open has its answer.
func (a *Asker) Answered() { a.Open, a.answered = nil, a.Open }

// Reset forgets what was asked.
func (a *Asker) Reset() { *a = Asker{} }

// Answer computes the hash of the password, unless somebody else has had the same
// question, and remembers what came of it. It may be called from any goroutine.
func (q *Question) Answer() {
	u := q.user
	switch {
	case same(u.right.Load(), &q.digest):
		q.right = true
	case same(u.wrong.Load(), &q.digest):
	case u.password.hash.matches(q.password):
		q.right = true
		u.right.Store(&q.digest)
	default:
		u.wrong.Store(&q.digest)
	}
}

// Check is Asker.Check that answers what it asks.
func (l *List) Check(name, password []byte) *User {
	var a Asker
	u := a.Check(l, name, password)
	if a.Open != nil {
		a.Open.Answer()
		a.Answered()
		u = a.Check(l, name, password)
	}
	return u
}
