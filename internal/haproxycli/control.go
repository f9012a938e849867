package haproxycli

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"baton/internal/sys"
)

// controlEnv names, to a worker, the descriptor of its link to the master.
const controlEnv = "BATON_HAPROXY_MASTER"

// firstMark stands behind the number for a master's first worker.
const firstMark = " first"

// Control is a worker's link to its master.
type Control struct {
	link link
	// First: the master has just read the same files, and told what they are worth.
	First bool
}

// Worker returns the link to the master that started this process, or nil. It may
// be called once.
func Worker() (*Control, error) {
	text := os.Getenv(controlEnv)
	if text == "" {
		return nil, nil //nolint:nilnil // no master is the usual case
	}
	_ = os.Unsetenv(controlEnv)
	text, first := strings.CutSuffix(text, firstMark)
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", controlEnv, err)
	}
	syscall.CloseOnExec(n)
	conn, err := packetConn(sys.FD(n))
	if err != nil {
		return nil, fmt.Errorf("link to the master: %w", err)
	}
	return &Control{link{conn}, first}, nil
}

// Sockets receives the listening sockets that the master holds.
func (c *Control) Sockets() (Sockets, error) {
	got, _, err := c.link.receive()
	return got, err
}

// Ready gives the master the worker's sockets and tells it that the worker serves.
func (c *Control) Ready(each func(send func(key string, fd sys.FD) error) error) error {
	if err := each(c.link.sendSocket); err != nil {
		return fmt.Errorf("hand sockets to the master: %w", err)
	}
	return c.link.sendWord(wordReady)
}

// Lost is closed when the master has gone.
func (c *Control) Lost() <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			if _, err := c.link.conn.Read(make([]byte, 1)); err != nil {
				return
			}
		}
	}()
	return gone
}

// packetConn makes a connection of a descriptor, which it takes over.
func packetConn(fd sys.FD) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "link")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("%v is no unix socket", fd)
	}
	return conn, nil
}
