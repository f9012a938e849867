package compat

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// markLine is the log line of a lane's mark: what was logged before it is all that a case
// has to say.
const markLine = "all-has-been-logged"

// logged returns the lines since the last call, masked. Both balancers have one thread, and
// log a session that has ended before one that begins later.
func (l *lane) logged() []string {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + l.mark)
	if err != nil {
		l.fail(err)
		return nil
	}
	res.Body.Close()
	_ = l.logs.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 16<<10)
	for lines := []string(nil); ; {
		n, err := l.logs.Read(buf)
		if err != nil {
			l.fail(err)
			return lines
		}
		line := strings.TrimSpace(string(buf[:n]))
		if line == markLine {
			return lines
		}
		lines = append(lines, masked(line))
	}
}

// standardHead is what standard lines begin with and what differs from run to run: client,
// date, timers, and the bytes, which haproxy 2.6 counts in its internal form.
var standardHead = regexp.MustCompile(`^[0-9a-f.:]+:[0-9]+ \[[^]]*\] (\S+ \S+) ([0-9/+-]+)( -1| \d{3})? (\+?)\d+ `)

var reachedTimer = regexp.MustCompile(`\d+`)

// masked writes t for a timer that was reached. A line of a format of the test's own
// stays as it is.
func masked(line string) string {
	m := standardHead.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	timers := strings.ReplaceAll(m[2], "-1", "-")
	return m[1] + " " + reachedTimer.ReplaceAllString(timers, "t") + m[3] + " " + m[4] + "B " + line[len(m[0]):]
}
