// Package pair is the protocol between two batons of one pair: messages, and the
// state of the link that carries them. VRRP stays the authority; the link adds
// what VRRP cannot say: that a process has died, that a node is ready to serve,
// that one asks the other to take over.
//
// It is pure. A Machine is stepped with the time and an event and answers with
// actions; pair/link owns the sockets, TLS and the keys.
//
// # Messages
//
// A frame is a byte of Kind, three bytes of length (big-endian, at most
// MaxPayload) and the payload. A Kind that this version does not know is skipped.
// A payload, and each record of a list in one, may be longer than this version
// knows: what follows is skipped as well. So a later version adds fields at ends
// and kinds at will; Protocol changes only when that is not enough.
//
// # Ends
//
// Only an end that the peer's kernel signals (FIN or RST) without a Goodbye before
// it can mean that the peer's process died. Nothing proves who sent a FIN or RST,
// so the Machine asks the peer's kernel once more by a new connection. Refused or
// reset: Gone. Answered: the peer lives, whatever the end was. Silence, here or
// before, says nothing about the peer, and nor does anything malformed.
//
// Invariant: Gone follows an end of a link that was up, signalled by the peer's
// kernel, unannounced, and confirmed by a refused or reset connection; nothing else
// makes it.
package pair
