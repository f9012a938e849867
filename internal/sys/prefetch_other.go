//go:build !amd64 && !arm64

package sys

// Prefetch does nothing where no instruction for it is known here.
func Prefetch(uintptr, int) {}
