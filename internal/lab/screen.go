package lab

import (
	"io"
	"os"
	"strings"

	"baton/internal/sys"
)

// screen is where the story is told. On a terminal its last line may be a passing
// one, which the next text takes the place of.
type screen struct {
	style
	out     io.Writer
	tty     bool
	passing bool  // a passing line stands there
	err     error // the first failure to write: nobody reads any more
}

func newScreen(out *os.File) *screen {
	tty := sys.IsTerminal(out.Fd()) && os.Getenv("TERM") != "dumb"
	return &screen{
		out:   out,
		tty:   tty,
		style: style{colour: tty && os.Getenv("NO_COLOR") == "", utf8: isUTF8()},
	}
}

// isUTF8 asks the locale, in the order of setlocale(3).
func isUTF8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToUpper(v)
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}

func (s *screen) print(text string) {
	if s.passing {
		text = "\r\x1b[K" + text
		s.passing = false
	}
	s.write(text)
}

// pass shows a line until the next text or line comes; only on a terminal.
func (s *screen) pass(line string) {
	if s.tty {
		s.print(s.paint(faint, line))
		s.passing = true
	}
}

func (s *screen) write(text string) {
	if s.err == nil {
		_, s.err = io.WriteString(s.out, text)
	}
}
