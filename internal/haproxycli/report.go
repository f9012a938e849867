package haproxycli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"baton/internal/diag"
)

// Level is the head of a message.
type Level string

// The levels.
const (
	Notice  Level = "NOTICE"
	Warning Level = "WARNING"
	Alert   Level = "ALERT"
)

// Reporter prints messages as haproxy does: `[ALERT]    (PID) : text`. Before the
// first warning or alert it says which program speaks.
type Reporter struct {
	mu    sync.Mutex
	w     io.Writer
	id    Identity
	said  bool // which program speaks
	quiet bool
}

// NewReporter prints to w, or nothing at all with quiet set.
func NewReporter(w io.Writer, id Identity, quiet bool) *Reporter {
	return &Reporter{w: w, id: id, quiet: quiet}
}

// Sayf prints one message; further lines of it are set in.
func (r *Reporter) Sayf(l Level, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.quiet {
		return
	}
	if !r.said && l != Notice {
		r.said = true
		r.line(Notice, "haproxy version is "+r.id.name())
		if exe, err := os.Executable(); err == nil {
			r.line(Notice, "path to executable is "+exe)
		}
	}
	r.line(l, fmt.Sprintf(format, args...))
}

// Mute ends all messages.
func (r *Reporter) Mute() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.quiet = true
}

func (r *Reporter) line(l Level, text string) {
	text = strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n   | ")
	fmt.Fprintf(r.w, "%-10s (%d) : %s\n", "["+string(l)+"]", os.Getpid(), text)
}

// Findings prints what a configuration's findings say, each with its place, its
// line and the remedy.
func (r *Reporter) Findings(l diag.List) {
	for _, d := range l {
		level := map[diag.Severity]Level{diag.Error: Alert, diag.Warning: Warning, diag.Notice: Notice}[d.Severity]
		if d.Unused {
			level = Notice
		}
		var b strings.Builder
		_ = diag.List{{Msg: d.Msg, Hint: d.Hint, Source: d.Source, Pos: diag.Pos{Line: d.Pos.Line, Col: d.Pos.Col}}}.Write(&b)
		_, rest, _ := strings.Cut(b.String(), "\n") // its head is in diag's form
		if d.Pos.Line == 0 {
			r.Sayf(level, "config : %s : %s\n%s", d.Pos.File, d.Msg, rest)
			continue
		}
		r.Sayf(level, "config : parsing [%s:%d] : %s\n%s", d.Pos.File, d.Pos.Line, d.Msg, rest)
	}
}

// Logger returns a logger that prints through r.
func (r *Reporter) Logger() *slog.Logger { return slog.New(handler{r: r}) }

// handler is slog's way to a Reporter.
type handler struct {
	r     *Reporter
	attrs string
}

var _ slog.Handler = handler{}

// Enabled leaves debug records out.
func (h handler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// Handle prints one record.
func (h handler) Handle(_ context.Context, rec slog.Record) error {
	level := Notice
	switch {
	case rec.Level >= slog.LevelError:
		level = Alert
	case rec.Level >= slog.LevelWarn:
		level = Warning
	}
	text := rec.Message + h.attrs
	rec.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	h.r.Sayf(level, "%s", text)
	return nil
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.attrs += " " + a.String()
	}
	return h
}

// WithGroup implements slog.Handler; groups are not shown.
func (h handler) WithGroup(string) slog.Handler { return h }
