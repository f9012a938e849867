package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Slab returns size bytes of zeroed memory outside of Go's heap, aligned to 2 MB and
// backed by huge pages where the system offers them: memory that is used all over at
// random then costs few TLB misses. It is never given back. size is a multiple of 2 MB.
func Slab(size int) ([]byte, error) {
	const huge = 2 << 20
	b, err := unix.Mmap(-1, 0, size+huge, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, err
	}
	b = align(b, huge)[:size:size]
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // ordinary pages serve too
	return b, nil
}

// align cuts off what is in front of the first multiple of n.
func align(b []byte, n uintptr) []byte {
	p := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return b[(n-p%n)%n:]
}
