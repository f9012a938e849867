package rules

import (
	"net/netip"
	"strconv"

	"baton/lb/http1"
	"baton/lb/spec"
)

// compileTest joins a fetch with a match. The fetch's type decides how the match
// sees the sample (the table in chapter 7.1): everything can be a string.
func compileTest(t spec.Test) Cond {
	if f := boolFetch(t); f != nil {
		return matchBool(t, f)
	}
	if f := intFetch(t); f != nil {
		return matchInt(t, f)
	}
	if f := addrFetch(t); f != nil {
		return matchAddr(t, f)
	}
	if f := textFetch(t); f != nil {
		m := textMatch(t)
		return func(x *Ctx) bool { return f(x, m) }
	}
	panic("BUG: rules: unknown fetch")
}

func boolFetch(t spec.Test) func(*Ctx) bool {
	switch t.Fetch {
	case spec.FetchTrue:
		return func(*Ctx) bool { return true }
	case spec.FetchFalse:
		return func(*Ctx) bool { return false }
	case spec.FetchSSLFc:
		return func(x *Ctx) bool { return x.SSL }
	}
	return nil
}

func matchBool(t spec.Test, f func(*Ctx) bool) Cond {
	switch t.Match {
	case spec.MatchBool:
		return f
	case spec.MatchFound:
		return func(*Ctx) bool { return true }
	}
	return matchInt(t, func(x *Ctx) int64 {
		if f(x) {
			return 1
		}
		return 0
	})
}

func intFetch(t spec.Test) func(*Ctx) int64 {
	switch t.Fetch {
	case spec.FetchSrcPort:
		return func(x *Ctx) int64 { return int64(x.Src.Port()) }
	case spec.FetchDstPort:
		return func(x *Ctx) int64 { return int64(x.Dst.Port()) }
	case spec.FetchNbSrv:
		backend := t.Arg
		return func(x *Ctx) int64 { return int64(x.NbSrv(backend)) }
	}
	return nil
}

func matchInt(t spec.Test, f func(*Ctx) int64) Cond {
	switch t.Match {
	case spec.MatchBool:
		return func(x *Ctx) bool { return f(x) != 0 }
	case spec.MatchFound:
		return func(*Ctx) bool { return true }
	case spec.MatchInt:
		ranges := t.Ints
		return func(x *Ctx) bool { return within(ranges, f(x)) }
	}
	m := textMatch(t)
	return func(x *Ctx) bool { return m(strconv.AppendInt(x.scratch[:0], f(x), 10)) }
}

func addrFetch(t spec.Test) func(*Ctx) netip.Addr {
	switch t.Fetch {
	case spec.FetchSrc:
		return func(x *Ctx) netip.Addr { return x.Src.Addr() }
	case spec.FetchDst:
		return func(x *Ctx) netip.Addr { return x.Dst.Addr() }
	}
	return nil
}

func matchAddr(t spec.Test, f func(*Ctx) netip.Addr) Cond {
	switch t.Match {
	case spec.MatchFound:
		return func(x *Ctx) bool { return f(x).IsValid() }
	case spec.MatchIP:
		nets := t.Prefixes
		return func(x *Ctx) bool { return inNets(nets, f(x)) }
	}
	m := textMatch(t)
	return func(x *Ctx) bool {
		a := f(x)
		return a.IsValid() && m(a.Unmap().AppendTo(x.scratch[:0]))
	}
}

// textFetch returns a function that offers each value of the sample to a match
// until one matches; a sample that is absent offers none.
func textFetch(t spec.Test) func(*Ctx, func([]byte) bool) bool {
	switch t.Fetch {
	case spec.FetchPath:
		return func(x *Ctx, m func([]byte) bool) bool {
			p, ok := path(x)
			return ok && m(p)
		}
	case spec.FetchURL:
		return func(x *Ctx, m func([]byte) bool) bool { return x.Head != nil && m(x.Head.Target.Of(x.Buf)) }
	case spec.FetchMethod:
		return func(x *Ctx, m func([]byte) bool) bool { return x.Head != nil && m(x.Head.MethodSpan.Of(x.Buf)) }
	case spec.FetchReqVer:
		return func(x *Ctx, m func([]byte) bool) bool {
			return x.Head != nil && m(append(x.scratch[:0], '1', '.', '0'+x.Head.Minor))
		}
	case spec.FetchHdr:
		name := t.Arg
		return func(x *Ctx, m func([]byte) bool) bool { return x.Head != nil && anyValue(x, name, m) }
	}
	return nil
}

// path is the target's path without the query: absent in `OPTIONS *`, in CONNECT,
// and, as in HAProxy, in an absolute form that ends with its authority.
func path(x *Ctx) ([]byte, bool) {
	if x.Head == nil || x.Head.Path.Len == 0 {
		return nil, false
	}
	return x.Head.Path.Of(x.Buf), true
}

// anyValue offers every value of every header line called name (all lines when it
// is empty). Commas separate values except inside quotes.
func anyValue(x *Ctx, name string, m func([]byte) bool) bool {
	for i := range x.Head.N {
		f := &x.Head.Fields[i]
		if f.Known == http1.Removed || name != "" && !equalFold(f.Name.Of(x.Buf), name) {
			continue
		}
		rest := f.Value.Of(x.Buf)
		for {
			n := valueEnd(rest)
			if m(trim(rest[:n])) {
				return true
			}
			if n == len(rest) {
				break
			}
			rest = rest[n+1:]
		}
	}
	return false
}

// valueEnd returns the index of the comma that ends the first value of b, or len(b).
func valueEnd(b []byte) int {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return i
		}
	}
	return len(b)
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
