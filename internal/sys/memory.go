package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Slab is zeroed memory outside of Go's heap, aligned to 2 MB and backed by huge pages
// where the system offers them: memory that is used all over at random then costs few
// TLB misses.
type Slab struct {
	B     []byte
	whole []byte // the mapping
}

// NewSlab maps size bytes, a multiple of 2 MB.
func NewSlab(size int) (Slab, error) {
	const huge = 2 << 20
	whole, err := unix.Mmap(-1, 0, size+huge, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return Slab{}, err
	}
	b := align(whole, huge)[:size:size]
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // ordinary pages serve too
	return Slab{b, whole}, nil
}

// Free gives the memory back; nothing may point to it any more.
func (s Slab) Free() { _ = unix.Munmap(s.whole) }

// align cuts off what is in front of the first multiple of n.
func align(b []byte, n uintptr) []byte {
	p := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return b[(n-p%n)%n:]
}
