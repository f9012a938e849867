package engine

import (
	"unsafe"

	"baton/internal/sys"
)

// BufferSize is the size of a buffer and so of the largest message head
// (HAProxy's tune.bufsize).
const BufferSize = 16384

// Buffer is room for bytes in transit. Whoever gets one puts it back.
type Buffer struct{ B [BufferSize]byte }

// slabSize is how much memory for buffers is taken at a time: a huge page.
const slabSize = 2 << 20

// Get takes a buffer; its contents are undefined. The one put back last comes
// first, so that its memory is still in the cache.
func (l *Loop) Get() *Buffer {
	if len(l.bufs) == 0 {
		l.moreBuffers()
	}
	n := len(l.bufs) - 1
	b := l.bufs[n]
	l.bufs = l.bufs[:n]
	return b
}

func (l *Loop) moreBuffers() {
	s, err := sys.NewSlab(slabSize)
	if err != nil { // out of address space: Go's heap has the last word
		s.B = make([]byte, slabSize)
	} else {
		l.slabs = append(l.slabs, s)
	}
	for slab := s.B; len(slab) >= BufferSize; slab = slab[BufferSize:] {
		l.bufs = append(l.bufs, (*Buffer)(unsafe.Pointer(unsafe.SliceData(slab))))
	}
}

// Put gives a buffer back.
func (l *Loop) Put(b *Buffer) { l.bufs = append(l.bufs, b) }
