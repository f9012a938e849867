package keepalivedcli

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// listen stands in for a syslog daemon.
func listen(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	_ = os.Remove(path)
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func read(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	b := make([]byte, 2000)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestSyslog(t *testing.T) {
	s := NewSyslog(19)
	s.path = filepath.Join(t.TempDir(), "log")
	if n, err := s.Write([]byte("<4>nobody listens\n")); err != nil || n != 18 {
		t.Errorf("without a daemon: %d, %v", n, err)
	}
	c := listen(t, s.path)
	_, _ = s.Write([]byte("<4>it is so\n"))
	form := regexp.MustCompile(`^<156>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} Keepalived_vrrp\[[0-9]+\]: it is so$`)
	if got := read(t, c); !form.MatchString(got) {
		t.Errorf("got %q", got)
	}
	_ = c.Close()
	c = listen(t, s.path) // the daemon was restarted
	_, _ = s.Write([]byte("again\n"))
	if got := read(t, c); !regexp.MustCompile(`^<158>.*: again$`).MatchString(got) {
		t.Errorf("after a restart: %q", got)
	}
}
