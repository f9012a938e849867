package haproxycli

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"baton/internal/sys"
)

// perMessage is more sockets than haproxy sends in a message: the kernel's limit (SCM_MAX_FD).
const perMessage = 253

// AskSocket takes copies of the listening sockets of a running haproxy through a stats
// socket with `expose-fd listeners` (-x). What it sends was observed of haproxy 2.6: the
// number of sockets as 32 bits, then they, in messages with names that we can do without;
// each message but the last waits for a byte.
func AskSocket(path string) (Sockets, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Net: "unix", Name: path})
	if err != nil {
		return nil, fmt.Errorf("cannot connect to the socket of the old process: %w", err)
	}
	defer conn.Close()
	all, err := askSocket(conn)
	if err != nil {
		all.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

func askSocket(conn *net.UnixConn) (Sockets, error) {
	all := make(Sockets)
	if err := conn.SetDeadline(time.Now().Add(askTime)); err != nil {
		return all, err
	}
	if _, err := conn.Write([]byte("_getsocks\n")); err != nil {
		return all, err
	}
	text, rights := make([]byte, 64<<10), make([]byte, syscall.CmsgSpace(4*perMessage))
	for count, got := -1, 0; count < 0 || got < count; {
		n, oobn, _, _, err := conn.ReadMsgUnix(text, rights)
		if err != nil {
			return all, err
		}
		fds, err := descriptors(rights[:oobn])
		for _, fd := range fds {
			all.add(sys.FD(fd))
		}
		if err != nil {
			return all, err
		}
		if count < 0 {
			if n < 4 {
				return all, errors.New("it does not hand out listening sockets: it needs `stats socket ... expose-fd listeners`")
			}
			count = int(binary.NativeEndian.Uint32(text))
		}
		got += len(fds)
		if n == 0 {
			return all, fmt.Errorf("it has sent %d of %d sockets", got, count)
		}
		if len(fds) > 0 && got < count {
			if _, err := conn.Write([]byte{0}); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}

// add puts a socket under what it is bound to (spec.Bind.Key); one that no `bind` of ours
// could be is closed.
func (s Sockets) add(fd sys.FD) {
	ip, name, ok := fd.Listening()
	if !ok {
		fd.Close()
		return
	}
	key := ip.String()
	switch abstract, isAbstract := strings.CutPrefix(name, "\x00"); {
	case name == "":
	case !isAbstract:
		key = "unix@" + settled(name)
	case len(name) == sys.UnixName: // padded to the whole address
		key = "abns@" + strings.TrimRight(abstract, "\x00")
	default:
		key = "abnsz@" + abstract
	}
	s[key] = append(s[key], fd)
}

// settled is the path to which haproxy renames the socket that it bound as PATH.PID.tmp.
func settled(name string) string {
	path, ok := strings.CutSuffix(name, ".tmp")
	if dot := strings.LastIndexByte(path, '.'); ok && dot >= 0 && strings.Trim(path[dot+1:], "0123456789") == "" {
		return path[:dot]
	}
	return name
}
