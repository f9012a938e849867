package runner

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"baton/checkscript"
	"baton/internal/sys"
)

// defaultUser runs the scripts that name no user, where it exists (keepalived.conf, script_user).
const defaultUser = "keepalived_script"

// Validate reports why a script could not be run: the program is missing or
// cannot be executed by the user that it would run as, its interpreter is
// missing, or the user or group is unknown. With secure (enable_script_security)
// it also refuses a script that would run as root and that somebody else could
// change. Probes of other kinds are always fine. It needs no privileges and
// starts nothing.
func Validate(p checkscript.Probe, secure bool) error {
	if p.Kind != checkscript.Script {
		return nil
	}
	_, err := prepare(p, secure)
	return err
}

// Exists reports why there is no file at an absolute path; nil if there is one.
func Exists(path string) error {
	if !filepath.IsAbs(path) {
		return errors.New("not an absolute path")
	}
	_, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such file")
	case err != nil:
		return errors.Unwrap(err)
	}
	return nil
}

// script is a Script probe, resolved against this machine.
type script struct {
	path       string
	argv       []string
	user       string              // for messages
	credential *syscall.Credential // nil: run as baton itself
}

// identity is who a script runs as.
type identity struct {
	name   string
	uid    uint32
	gid    uint32
	groups []uint32
}

func prepare(p checkscript.Probe, secure bool) (*script, error) {
	if len(p.Argv) == 0 || p.Argv[0] == "" {
		return nil, errors.New("no script is named")
	}
	id, own, err := identify(p.User, p.Group)
	if err != nil {
		return nil, err
	}
	path, err := locate(p.Argv[0])
	if err != nil {
		return nil, err
	}
	if err := executable(path, id); err != nil {
		return nil, err
	}
	if err := interpreter(path, id); err != nil {
		return nil, err
	}
	if secure && id.uid == 0 {
		if err := tamperProof(path); err != nil {
			return nil, err
		}
	}
	s := &script{path: path, argv: p.Argv, user: id.name}
	if !own {
		s.credential = &syscall.Credential{Uid: id.uid, Gid: id.gid, Groups: id.groups}
	}
	return s, nil
}

// permitted reports whether this process may become the script's user.
func (s *script) permitted() error {
	if s.credential == nil || (sys.HasCapability(sys.CapSetUID) && sys.HasCapability(sys.CapSetGID)) {
		return nil
	}
	return fmt.Errorf("runs as user %s, but baton may not change its user: it needs CAP_SETUID and CAP_SETGID (or `user` set to the one baton runs as)", s.user)
}

// identify resolves user and group names. own reports that they are baton's own
// and nothing has to be changed.
func identify(userName, groupName string) (id identity, own bool, err error) {
	u, err := lookupUser(userName)
	if err != nil {
		return id, false, err
	}
	id.name = u.Username
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return id, false, fmt.Errorf("user %s has the odd number %q", u.Username, u.Uid)
	}
	id.uid = uint32(uid)
	gidText := u.Gid
	if groupName != "" {
		g, err := user.LookupGroup(groupName)
		if err != nil {
			if g, err = user.LookupGroupId(groupName); err != nil {
				return id, false, fmt.Errorf("there is no group %s", groupName)
			}
		}
		gidText = g.Gid
	}
	gid, err := strconv.ParseUint(gidText, 10, 32)
	if err != nil {
		return id, false, fmt.Errorf("user %s has the odd group number %q", u.Username, gidText)
	}
	id.gid = uint32(gid)
	if groupName == "" {
		// A user without an entry in /etc/group has only its primary one.
		list, err := u.GroupIds()
		if err != nil {
			list = nil
		}
		for _, text := range list {
			if n, err := strconv.ParseUint(text, 10, 32); err == nil {
				id.groups = append(id.groups, uint32(n))
			}
		}
	}
	own = int(id.uid) == os.Geteuid() && int(id.gid) == os.Getegid()
	return id, own, nil
}

// lookupUser finds a user by name or number; "" is the default user.
func lookupUser(name string) (*user.User, error) {
	if name == "" {
		if u, err := user.Lookup(defaultUser); err == nil {
			return u, nil
		}
		uid, gid := strconv.Itoa(os.Geteuid()), strconv.Itoa(os.Getegid())
		if u, err := user.LookupId(uid); err == nil {
			u.Gid = gid
			return u, nil
		}
		return &user.User{Uid: uid, Gid: gid, Username: "uid " + uid}, nil
	}
	u, err := user.Lookup(name)
	if err == nil {
		return u, nil
	}
	if u, err := user.LookupId(name); err == nil {
		return u, nil
	}
	return nil, fmt.Errorf("there is no user %s", name)
}

// locate finds the program: by its path, or in PATH when it has no slash.
func locate(name string) (string, error) {
	if strings.Contains(name, "/") {
		return filepath.Abs(name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s: not found in PATH", name)
	}
	return filepath.Abs(path)
}

// executable reports why a user could not execute a file.
func executable(path string, id identity) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file", path)
	case err != nil:
		return fmt.Errorf("%s: %w", path, errors.Unwrap(err))
	case info.IsDir():
		return fmt.Errorf("%s is a directory", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not executable (chmod +x %s)", path, path)
	case !allows(info, id):
		return fmt.Errorf("%s may not be executed by user %s", path, id.name)
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && !allows(info, id) {
			return fmt.Errorf("%s: user %s may not enter %s", path, id.name, dir)
		}
		if dir == "/" {
			return nil
		}
	}
}

// allows applies the x bit that counts for the user (the first class that fits,
// as the kernel does; ACLs are not looked at).
func allows(info fs.FileInfo, id identity) bool {
	mode := info.Mode().Perm()
	if id.uid == 0 {
		return info.IsDir() || mode&0o111 != 0
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return true
	case st.Uid == id.uid:
		return mode&0o100 != 0
	case st.Gid == id.gid || slices.Contains(id.groups, st.Gid):
		return mode&0o010 != 0
	}
	return mode&0o001 != 0
}

// tamperProof reports whether somebody other than root could change what a path
// leads to: the file, or one of the folders on the way (a sticky folder protects
// other people's entries, so /tmp itself is no hole).
func tamperProof(path string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for p := path; ; p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		writable := info.Mode().Perm()&0o002 != 0 || info.Mode().Perm()&0o020 != 0 && ok && st.Gid != 0
		if info.IsDir() && info.Mode()&fs.ModeSticky != 0 {
			writable = false
		}
		if writable || ok && st.Uid != 0 {
			return fmt.Errorf("%s would run as root, but others than root can change %s (enable_script_security)", path, p)
		}
		if p == "/" {
			return nil
		}
	}
}

// interpreter checks a script's #! line. The kernel runs nothing else but ELF
// programs, and no shell stands in between to guess.
func interpreter(path string, id identity) error {
	f, err := os.Open(path)
	if err != nil {
		return nil //nolint:nilerr // executable but not readable for us: nothing to look at
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := f.Read(head)
	head = head[:n]
	if bytes.HasPrefix(head, []byte("\x7fELF")) {
		return nil
	}
	line, isScript := bytes.CutPrefix(head, []byte("#!"))
	if !isScript {
		return fmt.Errorf("%s is neither a program nor does it start with #! (no shell is involved; add a line like #!/bin/sh)", path)
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	fields := strings.Fields(string(line))
	if len(fields) == 0 {
		return fmt.Errorf("%s: its #! line names no interpreter", path)
	}
	if strings.HasSuffix(string(line), "\r") {
		return fmt.Errorf("%s: its #! line ends with a carriage return (saved with DOS line ends?)", path)
	}
	if err := executable(fields[0], id); err != nil {
		return fmt.Errorf("%s: its interpreter: %w", path, err)
	}
	return nil
}
