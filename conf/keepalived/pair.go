package keepalived

import (
	"net/netip"
	"path"

	"baton/conf"
	"baton/internal/diag"
)

// PairPort is where a node takes the pair link's connections.
const PairPort = 1112

// DefaultPairKey and DefaultPeerKey are where `baton pair` keeps the keys.
const (
	DefaultPairKey = "/etc/baton/pair/key"
	DefaultPeerKey = "/etc/baton/pair/peer"
)

// Pair is the link to the other baton.
type Pair struct {
	Pos     diag.Pos
	Peer    netip.AddrPort
	Listen  netip.AddrPort // with the unspecified address of Peer's family: any
	Key     string         // file of this node's key
	PeerKey string         // file of the peer's pinned key
}

// pairDraft is a pair block on its way.
type pairDraft struct {
	Pair
	peer, listen diag.Pos
}

// pairKeywords is pair.
func pairKeywords() []entry[pairDraft] {
	return []entry[pairDraft]{
		{name: "peer", doc: "where the other baton is reached: peer ADDRESS [port N], port 1112 by default", min: 1, max: 3, parse: func(l *lowerer, b *conf.Block, d *pairDraft) {
			d.peer = b.Words[0].Pos
			if a, ok := l.endpoint("peer", b); ok && a.Addr().IsUnspecified() {
				l.errs.Errorf(b.Words[1].Pos, "", "`peer`: %s is not the address of a host", b.Words[1].Text)
			} else if ok {
				d.Peer = a
			}
		}},
		{name: "listen", doc: "where this node takes the peer's connections and connects from: listen ADDRESS [port N]; every address and port 1112 by default", min: 1, max: 3, parse: func(l *lowerer, b *conf.Block, d *pairDraft) {
			if a, ok := l.endpoint("listen", b); ok {
				d.Listen, d.listen = a, b.Words[1].Pos
			}
		}},
		{name: "key", doc: "file of this node's key, " + DefaultPairKey + " by default; `baton pair init` and `baton pair join` make it", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *pairDraft) {
			l.keyFile("key", b, &d.Key)
		}},
		{name: "peer_key", doc: "file of the peer's key, " + DefaultPeerKey + " by default; pairing makes it", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *pairDraft) {
			l.keyFile("peer_key", b, &d.PeerKey)
		}},
	}
}

// endpoint reads `KEYWORD ADDRESS [port N]`.
func (l *lowerer) endpoint(keyword string, b *conf.Block) (netip.AddrPort, bool) {
	w := b.Words[1]
	a, err := netip.ParseAddr(w.Text)
	if err != nil || a.IsMulticast() {
		l.errs.Errorf(w.Pos, "an IPv4 or IPv6 address; a name could not be looked up when it matters", "`%s` must be the address of a host, not `%s`", keyword, w.Text)
		return netip.AddrPort{}, false
	}
	port := PairPort
	if more := b.Words[2:]; len(more) > 0 {
		if more[0].Text != "port" {
			l.errs.Errorf(more[0].Pos, "", "behind the address stands `port N` or nothing, not `%s`", more[0].Text)
			return netip.AddrPort{}, false
		}
		if len(more) < 2 {
			l.errs.Errorf(more[0].Pos, "", "`port` needs a value")
			return netip.AddrPort{}, false
		}
		var ok bool
		if port, ok = l.integer("port", more[1], 1, 65535); !ok {
			return netip.AddrPort{}, false
		}
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(port)), true
}

func (l *lowerer) keyFile(keyword string, b *conf.Block, into *string) {
	w := b.Words[1]
	if !path.IsAbs(w.Text) {
		l.errs.Errorf(w.Pos, "write the whole path", "`%s`: %s is a relative path", keyword, w.Text)
		return
	}
	*into = w.Text
}

// lowerPair reads a pair block and checks it as a whole.
func lowerPair(l *lowerer, b *conf.Block, _ *lowerer) {
	at := b.Words[0].Pos
	if l.config.Pair != nil {
		l.errs.Errorf(at, "a baton has one peer", "`pair` stands twice: it is also at %s", l.config.Pair.Pos)
		return
	}
	d := &pairDraft{Pair: Pair{Pos: at, Key: DefaultPairKey, PeerKey: DefaultPeerKey}}
	lowerBody(l, "pair", l.pair, b.Body, d)
	l.config.Pair = &d.Pair
	if d.peer.Line == 0 {
		l.errs.Errorf(at, "add peer ADDRESS, where the other baton is reached", "`pair` has no `peer`")
	}
	if !d.Peer.IsValid() {
		return
	}
	switch any := netip.IPv4Unspecified(); {
	case !d.Listen.IsValid():
		if d.Peer.Addr().Is6() {
			any = netip.IPv6Unspecified()
		}
		d.Listen = netip.AddrPortFrom(any, PairPort)
	case d.Listen.Addr().Is4() != d.Peer.Addr().Is4():
		l.errs.Errorf(d.listen, "", "`listen` and `peer` must both be IPv4 or both be IPv6")
	case d.Listen == d.Peer:
		l.errs.Errorf(d.listen, "peer is the other node; `@ID` in front of a line keeps it to the node of that name", "`listen` and `peer` are the same")
	}
	if d.Key == d.PeerKey {
		l.errs.Errorf(at, "", "`key` and `peer_key` are the same file")
	}
}
