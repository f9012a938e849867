package lb

import (
	"fmt"
	"os/user"
	"strconv"

	"baton/internal/diag"
	"baton/internal/sys"
	"baton/lb/spec"
)

// CheckBinds proves what can be proved of listeners on this host without opening
// one: inherited sockets are there and listen, users and groups exist.
func CheckBinds(cfg *spec.Config) diag.List {
	var found diag.List
	for _, fe := range cfg.Frontends {
		for i := range fe.Binds {
			bind := &fe.Binds[i]
			switch bind.Kind {
			case spec.BindFD:
				if err := sys.CheckInheritedListener(bind.FD); err != nil {
					found.Errorf(bind.Pos, "it must be a listening stream socket that this process was started with", "'%s': %v", bind.Text, err)
				}
			case spec.BindUnix:
				if _, _, err := owner(bind.File); err != nil {
					found.Errorf(bind.Pos, "", "'%s': %v", bind.Text, err)
				}
			}
		}
	}
	return found
}

// Owner resolves what `user` and `group` say; -1: nothing.
func Owner(g *spec.Global) (uid, gid int, err error) {
	return owner(spec.SocketFile{User: g.User.Name, Group: g.Group.Name})
}

// owner resolves the user and group of a socket file; -1 leaves one as it is.
func owner(f spec.SocketFile) (uid, gid int, err error) {
	uid, gid = -1, -1
	if f.User != "" {
		if uid, err = number(f.User, func() (string, error) {
			u, err := user.Lookup(f.User)
			if err != nil {
				return "", fmt.Errorf("unknown user '%s'", f.User)
			}
			return u.Uid, nil
		}); err != nil {
			return -1, -1, err
		}
	}
	if f.Group != "" {
		if gid, err = number(f.Group, func() (string, error) {
			g, err := user.LookupGroup(f.Group)
			if err != nil {
				return "", fmt.Errorf("unknown group '%s'", f.Group)
			}
			return g.Gid, nil
		}); err != nil {
			return -1, -1, err
		}
	}
	return uid, gid, nil
}

func number(name string, lookup func() (string, error)) (int, error) {
	if n, err := strconv.Atoi(name); err == nil {
		return n, nil
	}
	text, err := lookup()
	if err != nil {
		return -1, err
	}
	return strconv.Atoi(text)
}
