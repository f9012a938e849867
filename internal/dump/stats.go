package dump

import (
	"fmt"
	"strings"

	"baton/vrrp/packet"
	"baton/vrrp/vrrpnet"
)

// counters are keepalived's, which are fewer than baton's.
type counters struct {
	AdvertReceived   uint64 `json:"advert_rcvd"`
	AdvertSent       uint64 `json:"advert_sent"`
	BecomeMaster     uint64 `json:"become_master"`
	ReleaseMaster    uint64 `json:"release_master"`
	PacketLength     uint64 `json:"packet_len_err"`
	AdvertInterval   uint64 `json:"advert_interval_err"`
	TTL              uint64 `json:"ip_ttl_err"`
	InvalidType      uint64 `json:"invalid_type_rcvd"`
	AddressList      uint64 `json:"addr_list_err"`
	InvalidAuthType  uint64 `json:"invalid_authtype"`
	AuthTypeMismatch uint64 `json:"authtype_mismatch"`
	AuthFailure      uint64 `json:"auth_failure"`
	ZeroReceived     uint64 `json:"pri_zero_rcvd"`
	ZeroSent         uint64 `json:"pri_zero_sent"`
}

func countersOf(s vrrpnet.Status) counters {
	return counters{
		AdvertReceived: s.Received, AdvertSent: s.Sent,
		BecomeMaster: s.BecameMaster, ReleaseMaster: s.LeftMaster,
		PacketLength:   s.Refused[packet.Short] + s.Refused[packet.Count] + s.Refused[packet.NotIPv4],
		AdvertInterval: s.Refused[packet.Interval],
		TTL:            s.Refused[packet.TTL] + s.Refused[packet.PeerTTL],
		InvalidType:    s.Refused[packet.Type],
		AddressList:    s.Refused[packet.Addresses],
		// keepalived tells an unknown type from a known other one; the packets are
		// refused either way, and nearly always it is the latter.
		AuthTypeMismatch: s.Refused[packet.AuthKind],
		AuthFailure:      s.Refused[packet.AuthData],
		ZeroReceived:     s.ZeroReceived, ZeroSent: s.ZeroSent,
	}
}

// Stats is keepalived.stats: the counters of every instance.
func Stats(s *Snapshot) []byte {
	var b strings.Builder
	for i := range s.Instances {
		in := &s.Instances[i]
		c := countersOf(in.Status)
		fmt.Fprintf(&b, "VRRP Instance: %s\n", in.VRRP.Name)
		fmt.Fprintf(&b, "  Advertisements:\n    Received: %d\n    Sent: %d\n", c.AdvertReceived, c.AdvertSent)
		fmt.Fprintf(&b, "  Became master: %d\n  Released master: %d\n", c.BecomeMaster, c.ReleaseMaster)
		fmt.Fprintf(&b, "  Packet Errors:\n    Length: %d\n    TTL: %d\n    Invalid Type: %d\n    Advertisement Interval: %d\n    Address List: %d\n",
			c.PacketLength, c.TTL, c.InvalidType, c.AdvertInterval, c.AddressList)
		fmt.Fprintf(&b, "  Authentication Errors:\n    Invalid Type: %d\n    Type Mismatch: %d\n    Failure: %d\n",
			c.InvalidAuthType, c.AuthTypeMismatch, c.AuthFailure)
		fmt.Fprintf(&b, "  Priority Zero:\n    Received: %d\n    Sent: %d\n", c.ZeroReceived, c.ZeroSent)
	}
	return []byte(b.String())
}
