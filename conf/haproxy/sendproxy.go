package haproxy

import (
	"slices"
	"strings"

	"baton/lb/spec"
)

// sendProxyLine is what the options about the PROXY protocol of a server say; version 2
// wins over version 1, and ssl of proxy-v2-options stays without it.
type sendProxyLine struct {
	v1, v2, v2ssl          bool
	ssl, crc32c, authority bool
	uniqueID               bool
}

// build is the header that the server gets; nil: none.
func (l sendProxyLine) build() *spec.SendProxy {
	switch {
	case l.v2 || l.v2ssl:
		return &spec.SendProxy{Version: 2, SSL: l.ssl || l.v2ssl, CRC32C: l.crc32c, Authority: l.authority, UniqueID: l.uniqueID}
	case l.v1:
		return &spec.SendProxy{Version: 1}
	}
	return nil
}

// flag is the field of one of the send-proxy words.
func (l *sendProxyLine) flag(version int, ssl bool) *bool {
	switch {
	case version == 1:
		return &l.v1
	case ssl:
		return &l.v2ssl
	}
	return &l.v2
}

func sendProxy(version int, ssl bool) func(*server, *args) {
	return func(s *server, _ *args) { *s.sendProxy.flag(version, ssl) = true }
}

func noSendProxy(version int, ssl bool) func(*server, *args) {
	return func(s *server, _ *args) { *s.sendProxy.flag(version, ssl) = false }
}

// proxyOptions are the words of proxy-v2-options. Without TLS those about it and the
// client's certificate all come to the one statement that there was none.
var proxyOptions = []string{"ssl", "cert-cn", "ssl-cipher", "cert-sig", "cert-key", "authority", "crc32c", "unique-id"}

func serverProxyOptions(s *server, a *args) {
	w, ok := a.next("a list of " + quoted(proxyOptions))
	if !ok {
		return
	}
	for word := range strings.SplitSeq(w.Text, ",") {
		switch {
		case word == "authority":
			s.sendProxy.authority = true
		case word == "crc32c":
			s.sendProxy.crc32c = true
		case word == "unique-id":
			s.sendProxy.uniqueID = true
		case slices.Contains(proxyOptions, word):
			s.sendProxy.ssl = true
		default:
			a.fail(w, didYouMean(word, proxyOptions), "'proxy-v2-options' does not know '%s'", word)
		}
	}
}
