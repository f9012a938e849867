//go:build amd64 || arm64

package sys

// Prefetch asks the processor to have lines cache lines, from address at on, at hand
// soon. It is a hint: any address is allowed, and nothing is read. lines is at least 1.
//
//go:noescape
func Prefetch(at uintptr, lines int)
