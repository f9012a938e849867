package daemon

import (
	"bytes"
	"log/slog"
	"regexp"
	"sync"
	"testing"
)

func TestLoggerLines(t *testing.T) {
	emit := func(h slog.Handler) {
		l := slog.New(h)
		l.Info("instance VI_1 is MASTER", "reason", "no advert", "n", 3)
		l.With("a", "").WithGroup("g").Warn("careful\nnow", "b", `x="y"`, slog.Group("h", "c", 1))
		l.Error("bad")
		l.Debug("not shown")
	}
	for _, c := range []struct {
		journal bool
		want    string
	}{
		{true, "<6>instance VI_1 is MASTER reason=\"no advert\" n=3\n" +
			"<4>careful; now a=\"\" g.b=\"x=\\\"y\\\"\" g.h.c=1\n" +
			"<3>bad\n"},
		{false, "TIME instance VI_1 is MASTER reason=\"no advert\" n=3\n" +
			"TIME warn: careful; now a=\"\" g.b=\"x=\\\"y\\\"\" g.h.c=1\n" +
			"TIME error: bad\n"},
	} {
		var b bytes.Buffer
		emit(&lineHandler{w: &b, journal: c.journal, mu: new(sync.Mutex)})
		got := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}`).ReplaceAllString(b.String(), "TIME")
		if got != c.want {
			t.Errorf("journal=%v:\n%swant:\n%s", c.journal, got, c.want)
		}
	}
}
