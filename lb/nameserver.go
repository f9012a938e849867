package lb

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"baton/lb/spec"
)

// resolvConf reads the nameserver lines of resolv.conf(5).
func resolvConf(path string) ([]spec.NameServer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []spec.NameServer
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		addr, err := netip.ParseAddr(f[1])
		if err != nil {
			return list, fmt.Errorf("%s: nameserver %q: %w", path, f[1], err)
		}
		list = append(list, spec.NameServer{Name: f[1], Addr: netip.AddrPortFrom(addr, 53)})
	}
	return list, nil
}

// response is what a name server sent; msg belongs to the receiver.
type response struct {
	server *nameServer
	msg    []byte
}

// nameServer sends queries to one name server over a socket that stays open and
// hands on what comes back. Its failures are silence to the asker.
type nameServer struct {
	spec     spec.NameServer
	log      *slog.Logger
	patience time.Duration // for connecting and sending
	out      chan []byte
	in       chan<- response

	mu      sync.Mutex
	conn    net.Conn
	failing bool // and it has been logged
}

// backlogOfQueries bounds what waits for a name server that takes nothing.
const backlogOfQueries = 256

// ask queues a query; a full queue drops it, as the network would.
func (n *nameServer) ask(query []byte) {
	select {
	case n.out <- query:
	default:
	}
}

// run sends until ctx ends.
func (n *nameServer) run(ctx context.Context) {
	var readers sync.WaitGroup
	defer readers.Wait()
	defer n.drop(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case query := <-n.out:
			if err := n.send(ctx, &readers, query); err != nil {
				n.failed(err)
			}
		}
	}
}

func (n *nameServer) send(ctx context.Context, readers *sync.WaitGroup, query []byte) error {
	c, err := n.connected(ctx, readers)
	if err != nil {
		return err
	}
	if n.spec.TCP { // RFC 1035 section 4.2.2: two bytes of length
		query = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	}
	_ = c.SetWriteDeadline(time.Now().Add(n.patience))
	if _, err := c.Write(query); err != nil {
		n.drop(c)
		return err
	}
	return nil
}

func (n *nameServer) connected(ctx context.Context, readers *sync.WaitGroup) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn != nil {
		return n.conn, nil
	}
	network := "udp"
	if n.spec.TCP {
		network = "tcp"
	}
	d := net.Dialer{Timeout: n.patience}
	c, err := d.DialContext(ctx, network, n.spec.Addr.String())
	if err != nil {
		return nil, err
	}
	n.conn = c
	readers.Go(func() {
		err := n.read(ctx, c)
		n.drop(c)
		if err != nil && err != io.EOF && ctx.Err() == nil { // a server may close when it likes
			n.failed(err)
		}
	})
	return c, nil
}

// drop closes the connection, if it is still c or c is nil.
func (n *nameServer) drop(c net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn != nil && (c == nil || c == n.conn) {
		n.conn.Close()
		n.conn = nil
	}
}

func (n *nameServer) read(ctx context.Context, c net.Conn) error {
	var next func() ([]byte, error)
	if n.spec.TCP {
		r := bufio.NewReader(c)
		next = func() ([]byte, error) {
			var size [2]byte
			if _, err := io.ReadFull(r, size[:]); err != nil {
				return nil, err
			}
			msg := make([]byte, binary.BigEndian.Uint16(size[:]))
			_, err := io.ReadFull(r, msg)
			return msg, err
		}
	} else {
		room := make([]byte, 65535)
		next = func() ([]byte, error) {
			m, err := c.Read(room)
			return bytes.Clone(room[:m]), err
		}
	}
	for {
		msg, err := next()
		if err != nil {
			return err
		}
		select {
		case n.in <- response{n, msg}:
		case <-ctx.Done():
			return nil
		}
	}
}

// failed logs the first of several failures in a row.
func (n *nameServer) failed(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.failing {
		n.failing = true
		n.log.Warn("name server cannot be asked", "nameserver", n.spec.Name, "error", err)
	}
}

// answered notes that the name server works.
func (n *nameServer) answered() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failing {
		n.failing = false
		n.log.Info("name server answers again", "nameserver", n.spec.Name)
	}
}
