package haproxy

import (
	"fmt"
	"math"
	"strconv"

	"baton/lb/spec"
)

func bindUID(b *bindLine, a *args)  { b.fileID(a, &b.file.User) }
func bindGID(b *bindLine, a *args)  { b.fileID(a, &b.file.Group) }
func bindUser(b *bindLine, a *args) { b.fileName(a, &b.file.User) }

func bindGroup(b *bindLine, a *args) { b.fileName(a, &b.file.Group) }

func bindMode(b *bindLine, a *args) {
	b.needsUnix(a)
	a.mode(&b.file.Mode)
}

func (b *bindLine) fileID(a *args, to *string) {
	b.needsUnix(a)
	a.id(to)
}

func (b *bindLine) fileName(a *args, to *string) {
	b.needsUnix(a)
	a.word(to, "a name")
}

// needsUnix warns of an option that says nothing about any of the line's sockets.
func (b *bindLine) needsUnix(a *args) {
	if !b.unix {
		w := a.words[a.start-1]
		a.errs.Warnf(w.Pos, "", "'%s' has no effect: the line has no unix socket", w.Text)
	}
}

// mode reads permissions as chmod has them.
func (a *args) mode(to *uint32) {
	w, ok := a.next("permissions in octal, such as 660")
	if !ok {
		return
	}
	n, err := strconv.ParseUint(w.Text, 8, 32)
	if err != nil || n == 0 || n > 0o777 {
		a.fail(w, "write three octal digits, such as 660", "'%s' are no permissions", w.Text)
	}
	*to = uint32(n)
}

func (a *args) id(to *string) {
	if n, ok := a.integer("a number", 0, math.MaxInt32); ok {
		*to = strconv.Itoa(n)
	}
}

func (a *args) word(to *string, what string) {
	if w, ok := a.next(what); ok {
		*to = w.Text
	}
}

// unixBind is what `unix-bind` presets for every bind line of a unix socket.
type unixBind struct {
	prefix string
	file   spec.SocketFile
}

func parseUnixBind(l *lowerer, a *args) {
	if !a.more() {
		a.need("prefix, mode, user, uid, group or gid")
	}
	for a.more() {
		w, _ := a.next("")
		switch w.Text {
		case "prefix":
			a.word(&l.unixBind.prefix, "a path")
		case "mode":
			a.mode(&l.unixBind.file.Mode)
		case "user":
			a.word(&l.unixBind.file.User, "a name")
		case "uid":
			a.id(&l.unixBind.file.User)
		case "group":
			a.word(&l.unixBind.file.Group, "a name")
		case "gid":
			a.id(&l.unixBind.file.Group)
		default:
			names := []string{"prefix", "mode", "user", "uid", "group", "gid"}
			a.fail(w, didYouMean(w.Text, names), "unknown unix-bind option '%s'", w.Text)
		}
	}
}

// apply puts the presets into the binds of a proxy, wherever in the files the two
// stand.
func (u *unixBind) apply(binds []spec.Bind) {
	for i := range binds {
		b := &binds[i]
		if b.Kind != spec.BindUnix {
			continue
		}
		b.Path = u.prefix + b.Path
		if b.File.Mode == 0 {
			b.File.Mode = u.file.Mode
		}
		if b.File.User == "" {
			b.File.User = u.file.User
		}
		if b.File.Group == "" {
			b.File.Group = u.file.Group
		}
	}
}

// checkBinds refuses two listeners on one address.
func (l *lowerer) checkBinds() {
	seen := make(map[string]*spec.Bind)
	for _, p := range l.proxies {
		l.unixBind.apply(p.binds)
		if p.common.Disabled {
			continue
		}
		for i := range p.binds {
			b := &p.binds[i]
			if first := seen[b.Key()]; first != nil {
				l.errs.Errorf(b.Pos, "", "%s is already bound at %s", b.Key(), first.Pos)
				continue
			}
			seen[b.Key()] = b
		}
	}
}

// maxSunName is the longest name of a unix socket: one byte of its address begins or ends
// it (unix(7)).
const maxSunName = 107

// maxSocketPath is what fits into a unix socket's address (unix(7)), less what is
// appended while the socket is made.
const maxSocketPath = maxSunName - len(".2147483647.tmp")

// tooLong says by how much a name exceeds what the kernel takes, or "".
func tooLong(name string, limit int) string {
	if len(name) <= limit {
		return ""
	}
	return fmt.Sprintf("it has %d bytes, %d fit", len(name), limit)
}
