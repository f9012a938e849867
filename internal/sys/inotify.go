package sys

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// FolderWatch tells what happens to the files of a folder (inotify(7)).
type FolderWatch struct {
	f   *os.File
	buf [4096]byte
}

// WatchFolder begins to watch. A file is reported when somebody who wrote it has
// closed it, when it is moved in or out, and when it is deleted.
func WatchFolder(dir string) (*FolderWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("inotify: %w", err)
	}
	const what = unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_DELETE |
		unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, dir, what); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("watch folder %s: %w", dir, err)
	}
	return &FolderWatch{f: os.NewFile(uintptr(fd), "inotify")}, nil
}

// Next waits for events and returns the names of the files that they are about;
// an empty name stands for all of them (events were lost). gone says that the
// folder itself is no more, or elsewhere. After Close it fails.
func (w *FolderWatch) Next() (names []string, gone bool, err error) {
	n, err := w.f.Read(w.buf[:])
	if err != nil {
		return nil, false, err
	}
	for b := w.buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		mask := binary.NativeEndian.Uint32(b[4:])
		size := int(binary.NativeEndian.Uint32(b[12:]))
		name := b[unix.SizeofInotifyEvent:][:size]
		b = b[unix.SizeofInotifyEvent+size:]
		if mask&(unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_IGNORED) != 0 {
			gone = true
		}
		names = append(names, unix.ByteSliceToString(name))
	}
	return names, gone, nil
}

// Close ends the watch and a Next that waits.
func (w *FolderWatch) Close() { _ = w.f.Close() }
