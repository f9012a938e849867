package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"baton/internal/diag"
)

// NewLogger returns the daemon's own logger: one short line per record. A
// terminal or a file gets a time; journald, which stamps lines itself, gets the
// severity as a <N> prefix instead (sd-daemon(3)).
func NewLogger(w *os.File) *slog.Logger {
	return slog.New(&lineHandler{w: w, journal: isJournal(w), mu: new(sync.Mutex)})
}

// isJournal reports whether w is the stream that systemd connected to the
// journal: JOURNAL_STREAM names its device and inode (systemd.exec(5)). Only
// then is the variable about this stream and not one that was redirected.
func isJournal(w *os.File) bool {
	dev, ino, ok := strings.Cut(os.Getenv("JOURNAL_STREAM"), ":")
	if !ok {
		return false
	}
	info, err := w.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && dev == strconv.FormatUint(st.Dev, 10) && ino == strconv.FormatUint(st.Ino, 10)
}

// lineHandler writes "message key=value ...".
type lineHandler struct {
	w       io.Writer
	journal bool
	attrs   string // rendered already
	prefix  string // open groups, "a.b."
	mu      *sync.Mutex
}

var _ slog.Handler = (*lineHandler)(nil)

// Enabled leaves debug records out.
func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// Handle writes one record as one line with one Write.
func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if h.journal {
		fmt.Fprintf(&b, "<%d>", priority(r.Level))
	} else {
		b.WriteString(r.Time.Format("2006-01-02 15:04:05.000 "))
		if r.Level >= slog.LevelWarn {
			b.WriteString(strings.ToLower(r.Level.String()) + ": ")
		}
	}
	b.WriteString(strings.ReplaceAll(r.Message, "\n", "; "))
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&b, h.prefix, a)
		return true
	})
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

// WithAttrs implements slog.Handler.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	b.WriteString(h.attrs)
	for _, a := range attrs {
		appendAttr(&b, h.prefix, a)
	}
	c := *h
	c.attrs = b.String()
	return &c
}

// WithGroup implements slog.Handler.
func (h *lineHandler) WithGroup(name string) slog.Handler {
	c := *h
	c.prefix += name + "."
	return &c
}

func appendAttr(b *strings.Builder, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, sub := range v.Group() {
			appendAttr(b, prefix, sub)
		}
		return
	}
	if a.Key == "" {
		return
	}
	text := v.String()
	if text == "" || strings.ContainsAny(text, " \t\n\"=") {
		text = strconv.Quote(text)
	}
	b.WriteString(" " + prefix + a.Key + "=" + text)
}

// priority is syslog's severity of a level.
func priority(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 3
	case l >= slog.LevelWarn:
		return 4
	case l >= slog.LevelInfo:
		return 6
	}
	return 7
}

// NewPrefixHandler returns a handler that writes lines with the severity as a <N>
// prefix and without a time, for a writer that knows what to do with them.
func NewPrefixHandler(w io.Writer) slog.Handler {
	return &lineHandler{w: w, journal: true, mu: new(sync.Mutex)}
}

// LogFindings gives each finding a line of the log.
func LogFindings(log *slog.Logger, found diag.List) {
	for _, d := range found {
		text := fmt.Sprintf("%v: %s", d.Pos, d.Msg)
		if d.Hint != "" {
			text += " (" + d.Hint + ")"
		}
		if d.Severity == diag.Error {
			log.Error(text)
		} else {
			log.Warn(text)
		}
	}
}
