package haproxycli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"baton/internal/sys"
)

// Sockets are listening sockets by what they are bound to (spec.Bind.Key).
type Sockets map[string][]sys.FD

// Close closes all of them.
func (s Sockets) Close() {
	for _, list := range s {
		for _, fd := range list {
			fd.Close()
		}
	}
}

// Each calls send for every socket until one fails.
func (s Sockets) Each(send func(key string, fd sys.FD) error) error {
	for key, list := range s {
		for _, fd := range list {
			if err := send(key, fd); err != nil {
				return err
			}
		}
	}
	return nil
}

// A message on a link is a packet: `+KEY` with one descriptor, or a word alone.
const (
	wordEnd   = "end"   // there are no more sockets
	wordReady = "ready" // the same, and the sender serves
)

// link is a packet connection between two processes.
type link struct{ conn *net.UnixConn }

func (l link) sendSocket(key string, fd sys.FD) error {
	_, _, err := l.conn.WriteMsgUnix([]byte("+"+key), syscall.UnixRights(int(fd)), nil)
	return err
}

func (l link) sendWord(word string) error {
	_, err := l.conn.Write([]byte(word))
	return err
}

// receive reads sockets up to a word. On error it has closed them again.
func (l link) receive() (Sockets, string, error) {
	got := make(Sockets)
	text, rights := make([]byte, 512), make([]byte, syscall.CmsgSpace(4*4))
	for {
		n, oobn, _, _, err := l.conn.ReadMsgUnix(text, rights)
		if err == nil && n == 0 {
			err = errors.New("the other process has closed the link")
		}
		if err != nil {
			got.Close()
			return nil, "", err
		}
		fds, err := descriptors(rights[:oobn])
		if text[0] != '+' {
			return got, string(text[:n]), err
		}
		key := string(text[1:n])
		for _, fd := range fds {
			syscall.CloseOnExec(fd)
			got[key] = append(got[key], sys.FD(fd))
		}
		if err != nil {
			got.Close()
			return nil, "", err
		}
	}
}

func descriptors(rights []byte) ([]int, error) {
	if len(rights) == 0 {
		return nil, nil
	}
	messages, err := syscall.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	var all []int
	for i := range messages {
		fds, err := syscall.ParseUnixRights(&messages[i])
		if err != nil {
			return all, err
		}
		all = append(all, fds...)
	}
	return all, nil
}

// address is where a process offers its sockets, an abstract unix socket: it
// belongs to the network namespace, as listeners do, and vanishes with the process.
func address(pid int) *net.UnixAddr {
	return &net.UnixAddr{Net: "unixpacket", Name: fmt.Sprintf("@baton-haproxy-%d", pid)}
}

// Offer hands this process's sockets to any that asks and is root or of the same
// user, until ctx ends. each walks over the sockets of the moment.
func Offer(ctx context.Context, each func(send func(key string, fd sys.FD) error) error) error {
	l, err := net.ListenUnix("unixpacket", address(os.Getpid()))
	if err != nil {
		return fmt.Errorf("offer listening sockets: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.AcceptUnix()
			if err != nil {
				return // closed
			}
			if allowed(conn) {
				_ = conn.SetDeadline(time.Now().Add(askTime))
				to := link{conn}
				if each(to.sendSocket) == nil {
					_ = to.sendWord(wordEnd) // who is not there any more needs none
				}
			}
			_ = conn.Close()
		}
	}()
	return nil
}

func allowed(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	uid, err := sys.PeerUID(raw)
	return err == nil && (uid == 0 || uid == os.Getuid())
}

// askTime bounds how long another process may take to hand its sockets over.
const askTime = 2 * time.Second

// Ask takes copies of the sockets of another process. One that is no baton, or not
// there, has none to give.
func Ask(pid int) (Sockets, error) {
	conn, err := net.DialUnix("unixpacket", nil, address(pid))
	if err != nil {
		return nil, nil //nolint:nilerr // it is no baton: its addresses are bound beside it
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(askTime)); err != nil {
		return nil, err
	}
	got, _, err := link{conn}.receive()
	if err != nil {
		return nil, fmt.Errorf("listening sockets of process %d: %w", pid, err)
	}
	return got, nil
}

// Inherit takes the listening sockets of the old processes over, or those behind -x.
func (o *Options) Inherit() (Sockets, error) {
	all, err := AskAll(slices.Concat(o.Finish, o.Terminate))
	if err != nil || len(all) > 0 || o.OldSocket == "" || o.OldSocket == os.DevNull {
		return all, err
	}
	return AskSocket(o.OldSocket)
}

// AskAll asks several processes. Where two have sockets of one address, all are used.
func AskAll(pids []int) (Sockets, error) {
	all := make(Sockets)
	for _, pid := range pids {
		got, err := Ask(pid)
		if err != nil {
			all.Close()
			return nil, err
		}
		for key, list := range got {
			all[key] = append(all[key], list...)
		}
	}
	return all, nil
}
