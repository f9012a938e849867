package nettest

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
)

// ServeMail is an SMTP server for tests, on a listener that it closes with the test. It
// serves one client after the other. A whole session comes out as one text, the commands
// and then the mail, in lines that end with "\n". answer may give another answer to a
// line of a client than 250, 354 or 221; "" is the usual one. It may be nil.
func ServeMail(t testing.TB, l net.Listener, answer func(line string) string) <-chan string {
	t.Helper()
	sessions := make(chan string, 256)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			sessions <- mailSession(c, answer)
			_ = c.Close()
		}
	}()
	return sessions
}

func mailSession(c net.Conn, answer func(string) string) string {
	var session strings.Builder
	say := func(s string) { _, _ = fmt.Fprintf(c, "%s\r\n", s) }
	say("220 test")
	data := false
	for r := bufio.NewScanner(c); r.Scan(); {
		line := r.Text()
		session.WriteString(line + "\n")
		other := ""
		if answer != nil && !data {
			other = answer(line)
		}
		switch {
		case data && line != ".":
		case other != "":
			say(other)
		case line == "DATA":
			data = true
			say("354 go on")
		case line == "QUIT":
			say("221 bye")
			return session.String()
		default:
			data = false
			say("250 ok")
		}
	}
	return session.String()
}
