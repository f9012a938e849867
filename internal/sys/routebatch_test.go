package sys

import (
	"encoding/binary"
	"maps"
	"math"
	"testing"

	"golang.org/x/sys/unix"
)

// nlmsgerr is an answer of the kernel to the request seq; an error carries the request.
func nlmsgerr(kind uint16, seq uint32, errno Errno, request int) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+4+request))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, uint32(-int32(errno)))
	b = append(b, make([]byte, request)...)
	for len(b)%unix.NLMSG_ALIGNTO != 0 {
		b = append(b, 0)
	}
	return b
}

// TestRouteBatchAnswers: each error belongs to its request, also where the numbers wrap;
// what is left of a batch that failed belongs to none; the last answer ends it.
func TestRouteBatchAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		before uint32 // the last number used
		in     [][]byte
		want   map[int]Errno
		last   bool
		fails  bool
	}{
		"confirmed":    {before: 7, in: [][]byte{nlmsgerr(unix.NLMSG_ERROR, 10, 0, 16)}, want: map[int]Errno{}, last: true},
		"some refused": {before: 7, in: [][]byte{nlmsgerr(unix.NLMSG_ERROR, 8, ENOBUFS, 41), nlmsgerr(unix.NLMSG_ERROR, 10, EACCES, 40)}, want: map[int]Errno{0: ENOBUFS, 2: EACCES}, last: true},
		"more to come": {before: 7, in: [][]byte{nlmsgerr(unix.NLMSG_ERROR, 9, EINVAL, 0)}, want: map[int]Errno{1: EINVAL}},
		"left over":    {before: 7, in: [][]byte{nlmsgerr(unix.NLMSG_ERROR, 7, EINVAL, 0), nlmsgerr(unix.NLMSG_ERROR, 6, 0, 0)}, want: map[int]Errno{}},
		"wrapped":      {before: math.MaxUint32 - 1, in: [][]byte{nlmsgerr(unix.NLMSG_ERROR, math.MaxUint32, EINVAL, 0), nlmsgerr(unix.NLMSG_ERROR, 1, 0, 0)}, want: map[int]Errno{0: EINVAL}, last: true},
		"no answer":    {before: 7, in: [][]byte{nlmsgerr(unix.NLMSG_DONE, 10, 0, 0)}, want: map[int]Errno{}, fails: true},
		"cut":          {before: 7, in: [][]byte{nlmsgerr(unix.NLMSG_ERROR, 10, EINVAL, 40)[:24]}, want: map[int]Errno{}, fails: true},
	} {
		b := &RouteBatch{seq: c.before}
		for range 3 {
			b.Begin(unix.RTM_NEWADDR, 0)
			b.Append(make([]byte, 8))
		}
		var in []byte
		for _, answer := range c.in {
			in = append(in, answer...)
		}
		got := map[int]Errno{}
		last, err := b.answers(in, func(i int, errno Errno) { got[i] = errno })
		if last != c.last || (err != nil) != c.fails || !maps.Equal(got, c.want) {
			t.Errorf("%s: errors %v, last %t, %v", name, got, last, err)
		}
	}
}
