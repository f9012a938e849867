// Package link carries the protocol of package pair over one TLS 1.3 connection
// between two nodes, and pairs two nodes that do not know each other yet.
//
// # Who is who
//
// A node is its ed25519 key. The key lies in a file; the certificate that TLS asks
// for is made of it at each start and says nothing by itself. Either end accepts
// exactly one key at the other, the one that was pinned when the nodes were paired:
// no authority, no names, no dates are looked at. TLS 1.3 proves that the other end
// has the key, on both sides, and keeps replayed and altered bytes out. There is no
// resumption and no early data.
//
// # Who connects
//
// Both ends listen and both dial; pair.Machine keeps one connection. A connection
// from any other address than the peer's is closed unread.
//
// # What an end means
//
// The kernel of a killed process closes its sockets: the peer reads FIN, or RST
// when something was left unread, and no close_notify. A Link tells these apart
// from the ends that TLS and local timeouts make, by looking at what the socket
// itself returned. It closes its own connections only after a Goodbye, lets the
// peer read that before anything can be reset, and reads on until the peer closes
// too.
//
// A Link has goroutines of its own and waits for nobody else: a consumer is called
// on its one goroutine and must not block, a peer that does not read is
// disconnected.
package link
