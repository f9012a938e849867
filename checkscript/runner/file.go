package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"baton/checkscript"
	"baton/internal/mono"
	"baton/internal/sys"
)

// folderRetry is the pause until a folder that could not be watched is tried again.
// The file is read as often meanwhile.
const folderRetry = time.Second

// followFile is the life of a track_file probe: it reads the file when somebody has
// written, replaced or deleted it.
func (p *probe) followFile(ctx context.Context) {
	p.initFile()
	told := ""
	for ctx.Err() == nil {
		w, err := sys.WatchFolder(filepath.Dir(p.Path))
		if err == nil {
			told = ""
			err = p.watchFile(ctx, w)
		} else {
			p.readFile()
		}
		if err != nil && err.Error() != told {
			told = err.Error()
			p.runner.opt.Log.Warn(fmt.Sprintf("probe %s: %v; trying again every %v", p.Name, err, folderRetry))
		}
		select {
		case <-ctx.Done():
		case <-time.After(folderRetry):
		}
	}
}

// watchFile reads the file on each change until ctx ends or the folder goes.
func (p *probe) watchFile(ctx context.Context, w *sys.FolderWatch) error {
	stop := context.AfterFunc(ctx, w.Close)
	defer func() {
		if stop() {
			w.Close()
		}
	}()
	p.readFile() // after the watch has begun: no change falls between
	for {
		names, gone, err := w.Next()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("watch %s: %w", p.Path, err)
		}
		for _, n := range names {
			if n == "" || n == filepath.Base(p.Path) {
				p.readFile()
				break
			}
		}
		if gone {
			p.readFile()
			return fmt.Errorf("folder %s is no more", filepath.Dir(p.Path))
		}
	}
}

// readFile reads the number and publishes it if it is another.
func (p *probe) readFile() {
	value, text := readNumber(p.Path)
	res := result{ok: true, text: text}
	old := p.status.Load()
	changed := old.Verdict == checkscript.Pending || old.Value != value
	p.value.Store(int64(value))
	p.store(mono.Now(), 0, res, checkscript.Up, 0, 1, changed)
}

// readNumber reads the number at the beginning of a file. As with keepalived, a
// file that is missing or holds no number counts as 0.
func readNumber(path string) (value int, text string) {
	// O_NONBLOCK: a pipe put in its place must not hold us up.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return 0, "no such file, which counts as 0"
		}
		return 0, fmt.Sprintf("%v, which counts as 0", err)
	}
	defer f.Close()
	var b [64]byte
	n, _ := f.Read(b[:])
	s := strings.TrimLeft(string(b[:n]), " \t\r\n")
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	v, err := strconv.ParseInt(s[:end], 10, 64)
	if errors.Is(err, strconv.ErrSyntax) {
		return 0, "holds no number, which counts as 0"
	}
	v = min(max(v, math.MinInt32), math.MaxInt32) // also what does not fit into 64 bits
	return int(v), fmt.Sprintf("holds %d", v)
}

// initFile writes the first value, where that is asked for.
func (p *probe) initFile() {
	if p.Init == nil {
		return
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if p.Init.Overwrite {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC | syscall.O_NOFOLLOW
	}
	f, err := os.OpenFile(p.Path, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return
	}
	if err == nil {
		_, err = fmt.Fprintln(f, p.Init.Value)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		p.runner.opt.Log.Error(fmt.Sprintf("probe %s: init_file: %v", p.Name, err))
	}
}
