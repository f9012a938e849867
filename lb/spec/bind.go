package spec

import (
	"net/netip"
	"strconv"
	"strings"

	"baton/internal/diag"
)

// Bind is one listening address. `bind *:80` is 0.0.0.0:80, as HAProxy has it;
// `bind :::80` is both families unless `v6only` stands with it (HAProxy leaves
// that to the kernel, whose default is both).
type Bind struct {
	Kind BindKind
	Addr netip.AddrPort // BindIP
	V4V6 bool           // an IPv6 wildcard that also takes IPv4
	Path string         // BindUnix: the file; BindAbstract, BindAbstractZ: the name
	File SocketFile     // BindUnix
	FD   int            // BindFD
	Name string         // `name app`
	Text string         // as written, for messages and status
	Pos  diag.Pos

	TCP         BindTCP
	Maxconn     int  // connections at a time; 0: no limit of its own
	AcceptProxy bool // every connection begins with a PROXY header
}

// BindKind says what kind of socket a Bind is.
type BindKind uint8

// The kinds.
const (
	BindIP        BindKind = iota
	BindUnix               // unix@PATH
	BindAbstract           // abns@NAME: the name is padded with zeros to the whole sun_path
	BindAbstractZ          // abnsz@NAME: the name has its own length, as other programs have it
	BindFD                 // fd@N: a listening socket that the process was started with
)

// sunPath is the room for a name in a unix socket's address (unix(7)).
const sunPath = 108

// AbstractSocket is a name of the abstract name space in the kernel's form, behind a zero
// byte; padded fills the name up with zeros, which belong to it then (abns@).
func AbstractSocket(name string, padded bool) string {
	if padded {
		name += strings.Repeat("\x00", sunPath-1-len(name))
	}
	return "\x00" + name
}

// SocketFile says who may connect to a unix socket. The zero value leaves it to
// the process's user and umask.
type SocketFile struct {
	Mode        uint32 // 0: as the umask has it
	User, Group string // names or numbers; "": as the process
}

// Account is a user or a group: a name or a number, and where the files say so. The
// zero value stands for the process's own.
type Account struct {
	Name string
	Pos  diag.Pos
}

// Key names the socket among all those of a process.
func (b *Bind) Key() string {
	switch b.Kind {
	case BindUnix:
		return "unix@" + b.Path
	case BindAbstract:
		return "abns@" + b.Path
	case BindAbstractZ:
		return "abnsz@" + b.Path
	case BindFD:
		return "fd@" + strconv.Itoa(b.FD)
	}
	return b.Addr.String()
}
