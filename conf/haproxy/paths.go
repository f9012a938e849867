package haproxy

import (
	"fmt"
	"path"
)

// origin is where relative names of files start.
type origin uint8

const (
	fromCurrent origin = iota // the folder that the process starts in
	fromConfig                // the folder of the file that names them
	fromParent                // its parent
	fromPath                  // one that default-path names
)

// defaultPath is what `default-path` says. It holds for the lines that follow, of all
// files, as in HAProxy, which changes its folder while it reads them.
type defaultPath struct {
	from origin
	path string // fromPath
}

func parseDefaultPath(l *lowerer, a *args) {
	w, ok := a.next("current, config, parent or origin and a path")
	if !ok {
		return
	}
	var d defaultPath
	switch w.Text {
	case "current":
	case "config":
		d.from = fromConfig
	case "parent":
		d.from = fromParent
	case "origin":
		d.from = fromPath
		d.path = a.text("a path")
	default:
		a.fail(w, didYouMean(w.Text, []string{"current", "config", "parent", "origin"}), "unknown default-path '%s': current, config, parent and origin are known", w.Text)
	}
	if !a.failed {
		l.defaultPath = d
	}
}

// folder is where the relative names start that stand in a line of the given file.
func (d defaultPath) folder(file string) string {
	switch d.from {
	case fromConfig:
		return path.Dir(file)
	case fromParent:
		return path.Join(path.Dir(file), "..")
	case fromPath:
		return d.path
	}
	return ""
}

// readFile reads a file that the present line names.
func (l *lowerer) readFile(name string) (string, error) {
	if path.IsAbs(name) {
		return l.tree.ReadFile(name)
	}
	whole := path.Join(l.defaultPath.folder(l.file), name)
	text, err := l.tree.ReadFile(whole)
	if err != nil && whole != path.Clean(name) {
		err = fmt.Errorf("%s: %w", whole, err)
	}
	return text, err
}
