package packet

// Reason says why a packet is not accepted. OK is the zero value.
type Reason uint8

// The reasons, in the order in which a receiver finds them.
const (
	OK          Reason = iota
	NotIPv4            // no whole IPv4 header, or its lengths contradict the packet
	TTL                // RFC 3768 section 5.2.3: other than 255, so not from this link
	Destination        // multicast to an instance that speaks unicast, or the reverse
	Sender             // check_unicast_src: from none of the peers
	PeerTTL            // outside of the peer's min_ttl and max_ttl
	Short              // ends before the fixed fields do
	Version            // another VRRP version than ours
	Type               // not an advertisement
	VRID               // no instance of ours on this interface has this VRID
	Count              // announces more addresses than it carries
	Checksum           // RFC 3768 section 5.3.8
	AuthKind           // another authentication type than ours
	AuthData           // another password than ours
	Interval           // RFC 3768 section 7.1: another advert interval than ours
	Addresses          // another address list than ours; the advert is accepted all the same
	NoOrigin           // came by a heartbeat path without the origin that baton appends there
	Looped             // our own advert, which came back by another path
	NumReasons         // how many there are: the size of a table of counters
)

func (r Reason) String() string {
	names := [...]string{
		OK:          "ok",
		NotIPv4:     "not an IPv4 packet",
		TTL:         "TTL is not 255",
		Destination: "multicast where unicast is expected, or the reverse",
		Sender:      "not from a unicast_peer",
		PeerTTL:     "TTL is outside of the peer's range",
		Short:       "too short",
		Version:     "another VRRP version",
		Type:        "not an advertisement",
		VRID:        "unknown VRID",
		Count:       "fewer addresses than announced",
		Checksum:    "wrong checksum",
		AuthKind:    "authentication type differs",
		AuthData:    "password differs",
		Interval:    "advert interval differs",
		Addresses:   "address list differs",
		NoOrigin:    "not from a baton with this heartbeat path",
		Looped:      "our own, come back: two heartbeat paths are in the same network",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown reason"
}

// Key returns a short name for counters and JSON, e.g. "auth_type".
func (r Reason) Key() string {
	names := [...]string{
		OK:          "ok",
		NotIPv4:     "ip_header",
		TTL:         "ttl",
		Destination: "destination",
		Sender:      "sender",
		PeerTTL:     "peer_ttl",
		Short:       "short",
		Version:     "version",
		Type:        "type",
		VRID:        "vrid",
		Count:       "count",
		Checksum:    "checksum",
		AuthKind:    "auth_type",
		AuthData:    "auth_data",
		Interval:    "interval",
		Addresses:   "addresses",
		NoOrigin:    "no_origin",
		Looped:      "looped",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}
