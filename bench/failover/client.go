package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"baton/bench/internal/bridge"
)

const (
	clientVerb = "client"
	checkVerb  = "check"

	// requestTimeout ends a request of the client; the next ones do not wait for it.
	requestTimeout = time.Second
)

// clientMain asks for the page through the virtual address until it is killed. New
// requests begin at a steady pace whether or not the ones before were answered, as
// many independent users would. It prints the time of each answer.
func clientMain(args []string) error {
	flags := flag.NewFlagSet(clientVerb, flag.ContinueOnError)
	every := flags.Duration("every", time.Millisecond, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	answers := make(chan int64, 10000)
	go func() {
		for range time.Tick(*every) {
			go func() {
				if request(net.JoinHostPort(vip, "80"), requestTimeout) == nil {
					answers <- time.Now().UnixNano()
				}
			}()
		}
	}()
	out := bufio.NewWriter(os.Stdout)
	var line []byte
	for at := range answers {
		line = strconv.AppendInt(line[:0], at, 10)
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
		if len(answers) == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkMain is the check script of the nodes: is the page there, through this node's proxy?
func checkMain(args []string) error {
	if len(args) != 1 {
		return errors.New("name an address")
	}
	return request(args[0], 500*time.Millisecond)
}

// request asks for the page on a connection of its own.
func request(addr string, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	d := net.Dialer{Deadline: deadline}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(deadline)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	answer, err := io.ReadAll(c)
	if err == nil && !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
		err = fmt.Errorf("answer %.20q", answer)
	}
	return err
}

// client is the running client, seen from here.
type client struct {
	mu      sync.Mutex
	answers []time.Time // since forget
	err     error
}

func startClient(st *stage, every time.Duration) (*client, error) {
	if err := os.MkdirAll(st.dir+"/client", 0o755); err != nil {
		return nil, err
	}
	cmd := st.command("client", st.self, clientVerb, "-every", every.String())
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	st.cleanup = append(st.cleanup, func() { bridge.End(cmd) })
	c := &client{}
	go c.read(out)
	return c, nil
}

func (c *client) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		ns, err := strconv.ParseInt(lines.Text(), 10, 64)
		c.mu.Lock()
		if err != nil {
			c.err = err
		} else {
			c.answers = append(c.answers, time.Unix(0, ns))
		}
		c.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errors.Join(errors.New("the client has ended"), lines.Err())
}

// forget drops the answers up to a time.
func (c *client) forget(before time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.answers[:0]
	for _, a := range c.answers {
		if !a.Before(before) {
			kept = append(kept, a)
		}
	}
	c.answers = kept
}

// since returns the answers that came from a time on, with the last one before it.
func (c *client) since(from time.Time) ([]time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []time.Time
	var last time.Time
	for _, a := range c.answers {
		switch {
		case !a.Before(from):
			out = append(out, a)
		case a.After(last):
			last = a
		}
	}
	if !last.IsZero() {
		out = append(out, last)
	}
	return out, c.err
}

// served reports whether the client has been answered all the time of late.
func (c *client) served(now time.Time, within time.Duration) bool {
	list, err := c.since(now.Add(-within))
	return err == nil && longest(list, now.Add(-within), now) <= max(within/2, 10*time.Millisecond)
}
