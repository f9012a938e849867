package engine

// BufferSize is the size of a buffer and so of the largest message head
// (HAProxy's tune.bufsize).
const BufferSize = 16384

// Buffer is room for bytes in transit. Whoever gets one puts it back.
type Buffer struct{ B [BufferSize]byte }

// Get takes a buffer; its contents are undefined. The one put back last comes
// first, so that its memory is still in the cache.
func (l *Loop) Get() *Buffer {
	if n := len(l.bufs); n > 0 {
		b := l.bufs[n-1]
		l.bufs = l.bufs[:n-1]
		return b
	}
	return new(Buffer)
}

// Put gives a buffer back.
func (l *Loop) Put(b *Buffer) { l.bufs = append(l.bufs, b) }
