package spec

import "time"

// Cookie is cookie persistence (`cookie NAME ...`): a cookie tells which server a client
// belongs to.
type Cookie struct {
	Name     string
	Mode     CookieMode
	Indirect bool // with CookieInsert servers do not see it; who has it does not get it again
	NoCache  bool // CookieInsert: a cacheable response that carries it becomes private
	PostOnly bool // CookieInsert: it is given in answer to POST alone
	Preserve bool // one that the server sets stays
	Dynamic  bool // servers without a `cookie` of their own have one that is made of their address

	MaxIdle, MaxLife time.Duration // CookieInsert, whole seconds; 0: none
	Suffix           string        // CookieInsert: what stands behind NAME=VALUE: "; path=/" and the attributes
}

// CookieMode says whose cookie it is.
type CookieMode uint8

// The modes.
const (
	CookieRead    CookieMode = iota // whoever's: it is only looked at
	CookieRewrite                   // the server's; its value becomes the server's name
	CookieInsert                    // baton's own
	CookiePrefix                    // the server's; its value gets the server's name before it
)

func (m CookieMode) String() string { return [...]string{"read", "rewrite", "insert", "prefix"}[m] }

// Persist is one force-persist or ignore-persist line; the first that holds counts.
type Persist struct {
	Force bool // take the server also when it is down; else: take no notice of the cookie
	Cond  *Cond
}
