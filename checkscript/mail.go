package checkscript

import (
	"fmt"
	"strings"
	"time"
)

// Mail is where to and how mail about changes of state is sent (keepalived.conf,
// global_defs).
type Mail struct {
	Server   string // smtp_server: host and port, as net.Dial takes them
	Helo     string // smtp_helo_name; "": the host name
	From     string // notification_email_from; "": keepalived@ and the host name
	To       []string
	Timeout  time.Duration // smtp_connect_timeout
	NoFaults bool          // no_email_faults
}

// Wants reports whether news is mailed, for a target that has smtp_alert.
func (m *Mail) Wants(n News) bool {
	switch n.Word {
	case ToMaster, ToBackup:
		return true
	case ToFault:
		return !m.NoFaults
	}
	return false
}

// Message is a mail with its header, in lines that end with CR and LF. Its words are
// those of keepalived 2.2, for the filters that people have. router is router_id.
func (m *Mail) Message(n News, router string, date time.Time) []byte {
	subject, body := "VRRP Instance "+n.Name, "VRRP Instance is no longer owning VRRP VIPs"
	if n.Word == ToMaster {
		body = "VRRP Instance is now owning VRRP VIPs"
	}
	if n.Group {
		subject, body = "VRRP Group "+n.Name, fmt.Sprintf("All VRRP group instances are now in %s state", n.Word)
	}
	return fmt.Appendf(nil, "Date: %s\r\nFrom: %s\r\nSubject: [%s] %s - Entering %s state\r\nX-Mailer: baton\r\nTo: %s\r\n\r\n=> %s <=\r\n",
		date.Format(time.RFC1123Z), m.From, oneLine(router), oneLine(subject), n.Word, strings.Join(m.To, ", "), body)
}

// oneLine keeps a name from becoming a line of its own.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
