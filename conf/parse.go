package conf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"baton/internal/diag"
)

// maxFile bounds a configuration file; it is there for /dev/zero.
const maxFile = 64 << 20

// Parse reads the named files and folders (*.cfg and *.conf in C-locale order)
// into a tree. Findings show names as they were given. The tree holds everything
// that could be read even when there are errors.
func Parse(src Source, names []string) (*Tree, diag.List) {
	errs := diag.List{}
	r := &reader{
		src: src, errs: &errs, vocabulary: newVocabulary(), defs: make(map[string]*definition), named: make(map[string]string),
		tree: &Tree{lines: make(map[string][]string), origins: make(map[place]string)},
	}
	if r.src.Env == nil {
		r.src.Env = func(string) (string, bool) { return "", false }
	}
	r.env = newEnvironment(r.src.Env)
	r.predefine(names)
	r.tree.Env = r.env.lookup
	r.tree.read = func(name string) (string, error) {
		data, err := r.load(r.absolute(name))
		if err != nil {
			return "", errors.New(reason(err))
		}
		return data, nil
	}
	if len(names) == 0 {
		errs.Errorf(diag.Pos{File: "-f"}, "name a file or a folder", "no configuration was named")
	}
	for _, name := range names {
		r.readName(name)
	}
	r.tree.Attach(errs)
	return r.tree, errs
}

// absolute returns the cleaned absolute path of a name.
func (r *reader) absolute(name string) string {
	if !path.IsAbs(name) {
		name = path.Join("/", r.src.Dir, name)
	}
	return path.Clean(name)
}

// fsName is the name of an absolute path within Source.FS.
func fsName(abs string) string {
	if abs == "/" {
		return "."
	}
	return strings.TrimPrefix(abs, "/")
}

// readName reads one -f argument.
func (r *reader) readName(name string) {
	if name == "" {
		r.errs.Errorf(diag.Pos{File: "-f"}, "name a file or a folder", "the name of a configuration file is empty")
		return
	}
	abs, whole := r.absolute(name), diag.Pos{File: name}
	info, err := fs.Stat(r.src.FS, fsName(abs))
	if err != nil {
		r.errs.Errorf(whole, "", "cannot read the configuration: %s", reason(err))
		return
	}
	if !info.IsDir() {
		if r.isFirst(name, abs) && r.readFile(file{name: name, abs: abs}, whole) == nothingRead && !r.src.CfgOnly {
			r.errs.Errorf(whole, "it needs at least one section, such as `frontend` or `vrrp_instance`", "the file is empty")
		}
		return
	}
	entries, err := fs.ReadDir(r.src.FS, fsName(abs))
	if err != nil {
		r.errs.Errorf(whole, "", "cannot read the folder: %s", reason(err))
		return
	}
	var files []string
	for _, e := range entries {
		n := e.Name()
		wanted := strings.HasSuffix(n, ".cfg") || strings.HasSuffix(n, ".conf") && !r.src.CfgOnly
		if wanted && !strings.HasPrefix(n, ".") && !e.IsDir() {
			files = append(files, n)
		}
	}
	slices.Sort(files)
	if len(files) == 0 && !r.src.CfgOnly {
		r.errs.Errorf(whole, "files in a folder are read when they end in .cfg or .conf", "the folder holds no configuration file")
	}
	for _, n := range files {
		f := file{name: path.Join(name, n), abs: path.Join(abs, n)}
		if r.isFirst(f.name, f.abs) && r.readFile(f, diag.Pos{File: f.name}) == nothingRead {
			r.errs.Warnf(diag.Pos{File: f.name}, "", "the file is empty")
		}
	}
}

// isFirst complains about a file that -f names twice, directly or by its folder:
// everything in it would be told to stand twice.
func (r *reader) isFirst(name, abs string) bool {
	before, twice := r.named[abs]
	if twice {
		r.errs.Errorf(diag.Pos{File: name}, "leave one out", "the file is named twice: it has been read as %s", before)
		return false
	}
	r.named[abs] = name
	return true
}

// readResult says what came of a file.
type readResult uint8

const (
	unreadable  readResult = iota // and said so
	nothingRead                   // no line but blanks and comments
	someRead
)

// readFile reads a file's lines into the tree. at is where to complain if it
// cannot be read: the file itself, or the include that named it.
func (r *reader) readFile(f file, at diag.Pos) readResult {
	data, err := r.load(f.abs)
	if err != nil {
		if at.Line == 0 {
			r.errs.Errorf(at, "", "cannot read the configuration: %s", reason(err))
		} else {
			r.errs.Errorf(at, "", "cannot read the included file %s: %s", f.name, reason(err))
		}
		return unreadable
	}
	lines := strings.Split(strings.TrimPrefix(data, "\ufeff"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\r")
	}
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	r.tree.lines[f.name] = lines
	return r.readLines(f, lines)
}

func (r *reader) load(abs string) (string, error) {
	f, err := r.src.FS.Open(fsName(abs))
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return "", errors.New("it is a folder")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxFile {
		return "", fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	return string(data), nil
}

// reason returns what went wrong without the path, which the finding shows anyway.
func reason(err error) string {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file or folder"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	return err.Error()
}
