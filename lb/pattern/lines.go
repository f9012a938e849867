package pattern

import "strings"

// Line is a pattern as a file or the configuration has it.
type Line struct {
	Pattern string
	Value   string // of a map
	N       int    // line in the file, from 1; 0: not from a file
}

// ReadList reads the text of an ACL file: a pattern per line, with its trailing
// blanks. Lines that begin with # or are empty, and leading blanks, don't count.
func ReadList(text string) []Line {
	var lines []Line
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = content(line); line != "" {
			lines = append(lines, Line{Pattern: line, N: n})
		}
	}
	return lines
}

// ReadMap reads the text of a map file: a pattern, which is the first word of its
// line, and a value, which is the rest without the blanks around it.
func ReadMap(text string) []Line {
	var lines []Line
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = content(line); line == "" {
			continue
		}
		key, value := line, ""
		if i := strings.IndexAny(line, blanks); i >= 0 {
			key, value = line[:i], strings.Trim(line[i:], blanks)
		}
		lines = append(lines, Line{Pattern: key, Value: value, N: n})
	}
	return lines
}

const blanks = " \t"

// content is a line without what does not count: "" if nothing does.
func content(line string) string {
	line = strings.TrimRight(line, "\r\n")
	if strings.HasPrefix(line, "#") {
		return ""
	}
	return strings.TrimLeft(line, blanks)
}
