package haproxy

import (
	"fmt"

	"baton/lb/pattern"
)

// list returns the list that a file of patterns holds, or with asMap one of patterns
// and values. It is read once: all that name the file share the list.
func (l *lowerer) list(file string, asMap bool) (*pattern.List, error) {
	for _, known := range l.cfg.Lists {
		if known.Name != file {
			continue
		}
		if l.maps[file] != asMap {
			return nil, fmt.Errorf("file '%s' is read both as a map and as a list of patterns; `-M -f` reads a map's patterns", file)
		}
		return known, nil
	}
	if r := l.listRef(file); r != nil {
		r.used = true
	}
	text, err := l.readFile(file)
	if err != nil {
		return nil, fmt.Errorf("file '%s' cannot be read: %w", file, err)
	}
	lines := pattern.ReadList(text)
	if asMap {
		lines = pattern.ReadMap(text)
	}
	list, err := l.newList(file, lines)
	if err != nil {
		return nil, err
	}
	l.cfg.Lists = append(l.cfg.Lists, list)
	l.maps[file] = asMap
	return list, nil
}
