// Package http1 reads and writes HTTP/1 messages as a proxy needs them.
//
// It is pure: bytes in, offsets out. A Message holds offsets into the buffer that
// was parsed and stays valid as long as the caller keeps those bytes in place. The
// parser is incremental and strict where laxness would let two hops disagree about
// where a message ends (RFC 9112 sections 2.2, 5, 6 and 7): such input is Bad.
package http1
