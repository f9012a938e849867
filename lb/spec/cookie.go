package spec

// Cookie is cookie persistence in the insert mode (`cookie NAME insert ...`): a cookie
// of baton's own tells which server a client belongs to.
type Cookie struct {
	Name     string
	Indirect bool   // servers do not see it
	NoCache  bool   // a cacheable response that carries it becomes private
	PostOnly bool   // it is given in answer to POST alone
	Preserve bool   // one that the server sets stays
	Suffix   string // what stands behind NAME=VALUE: "; path=/" and the attributes
}
