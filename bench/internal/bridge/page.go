package bridge

import (
	"bufio"
	"net"
)

// ServePage listens on a host and answers every HTTP request with a short page, until
// the listener is closed.
func (b *Bridge) ServePage(host, addr string) (net.Listener, error) {
	var l net.Listener
	err := b.In(host, func() (err error) {
		l, err = net.Listen("tcp", addr)
		return err
	})
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go servePage(c)
		}
	}()
	return l, nil
}

// servePage answers every request on a connection.
func servePage(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(line) > 2 { // the blank line ends a request; it has no body
			continue
		}
		if _, err := c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")); err != nil {
			return
		}
	}
}
