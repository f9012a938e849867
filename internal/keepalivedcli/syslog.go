package keepalivedcli

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// devLog is where syslog(3) writes.
const devLog = "/dev/log"

// syslogPatience bounds how long a line may wait for a syslog daemon that does not
// read. Then the line is lost, as it is without a daemon.
const syslogPatience = 100 * time.Millisecond

// Syslog writes lines to the host's syslog as keepalived's VRRP process.
type Syslog struct {
	facility int
	path     string

	mu   sync.Mutex
	conn net.Conn
}

// NewSyslog returns a writer that connects when there is something to write.
func NewSyslog(facility int) *Syslog { return &Syslog{facility: facility, path: devLog} }

var _ io.Writer = (*Syslog)(nil)

// Write takes one line that may begin with <N>, the severity (sd-daemon(3)). It
// never fails: a host without syslog has chosen so.
func (s *Syslog) Write(line []byte) (int, error) {
	severity, text := 6, strings.TrimSuffix(string(line), "\n")
	if len(text) > 3 && text[0] == '<' && text[2] == '>' && text[1] >= '0' && text[1] <= '7' {
		severity, text = int(text[1]-'0'), text[3:]
	}
	msg := fmt.Appendf(nil, "<%d>%s Keepalived_vrrp[%d]: %s", s.facility<<3|severity, time.Now().Format(time.Stamp), os.Getpid(), text)
	s.mu.Lock()
	defer s.mu.Unlock()
	for range 2 { // a syslog daemon that was restarted has another socket
		if s.conn == nil {
			var err error
			if s.conn, err = net.Dial("unixgram", s.path); err != nil {
				s.conn = nil
				return len(line), nil
			}
		}
		_ = s.conn.SetWriteDeadline(time.Now().Add(syslogPatience))
		if _, err := s.conn.Write(msg); err == nil {
			break
		}
		_ = s.conn.Close()
		s.conn = nil
	}
	return len(line), nil
}
