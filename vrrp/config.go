package vrrp

import (
	"net/netip"
	"time"

	"baton/vrrp/packet"
)

// Config is one vrrp_instance as the protocol sees it. A Config is made by
// conf/keepalived and is valid: the state machine does not check it again.
type Config struct {
	Name      string
	Interface string
	Version   uint8 // 2 or 3; 0 means 2
	IPv6      bool  // the family of adverts and of Advertised; version 3 only
	VRID      uint8 // 1..255
	Priority  uint8 // base priority, 1..255; 255 owns the addresses

	// AdvertInterval is ours. Version 2: whole seconds, 1..255, and all nodes must
	// have the same. Version 3: 10 ms to 40.95 s in steps of 10 ms; a backup adopts
	// the master's.
	AdvertInterval time.Duration

	StartAsMaster bool // `state MASTER`; only 255 acts on it (keepalived 2.x)
	NoPreempt     bool
	VirtualMAC    bool         // use_vmac without vmac_xmit_base: adverts leave with MAC as their source
	Hardware      [6]byte      // use_vmac with a hardware address: MAC; zero: that of the RFCs
	Auth          packet.Auth  // version 2 only
	PlainSum      bool         // version 3, IPv4: `v3_checksum_as_v2`, no pseudo header in checksums
	Source        netip.Addr   // mcast_src_ip, unicast_src_ip; zero: the interface's primary address, link-local with IPv6
	Advertised    []netip.Addr // addresses carried in adverts, in the order of the file

	Peers      []Peer // unicast_peer: adverts go to them and not to the group
	CheckPeers bool   // check_unicast_src: adverts of others are refused
	TTL        uint8  // of unicast adverts; 0 means 255

	Paths []Path // heartbeat_path: further ways for adverts, beside Interface

	DownAdverts          int           // down_timer_adverts, 1..100; 0 stands for the RFCs' 3
	PreemptDelay         time.Duration // preempt_delay: how long a lower master is left alone
	StartDelay           time.Duration // vrrp_startup_delay: no part in elections for so long
	DontTrackPrimary     bool          // dont_track_primary: the interface being down is no fault
	LowerPrioNoAdvert    bool          // lower_prio_no_advert: a master does not answer a lower rank
	HigherPrioSendAdvert bool          // higher_prio_send_advert: a master speaks once more before it yields
	SkipAddressCheck     bool          // skip_check_adv_addr: trust the list of the master that was heard before
}

// Peer is a line of unicast_peer.
type Peer struct {
	Addr           netip.Addr
	MinTTL, MaxTTL uint8 // what a received advert may have; MaxTTL 0 sets no bound
}

// Path is a heartbeat_path: an interface of its own by which adverts go and come too,
// in the instance's family.
type Path struct {
	Interface string
	Source    netip.Addr // zero: the interface's primary address
	Peers     []Peer     // adverts go to them and come from them only; none: multicast
	TTL       uint8      // of unicast adverts; 0 means 255
}

// MAC is the hardware address of the virtual router (RFC 3768 section 7.3, RFC 9568
// section 7.3), unless the operator has another.
func (c *Config) MAC() [6]byte {
	if c.Hardware != ([6]byte{}) {
		return c.Hardware
	}
	family := byte(1)
	if c.IPv6 {
		family = 2
	}
	return [6]byte{0, 0, 0x5e, 0, family, c.VRID}
}

// Unicast reports whether adverts go to peers instead of the group.
func (c *Config) Unicast() bool { return len(c.Peers) > 0 }

// State is the state of an instance.
type State uint8

// The states: RFC 3768 section 6.4, and FAULT as keepalived has it.
const (
	Init State = iota
	Backup
	Master
	Fault
)

func (s State) String() string {
	switch s {
	case Backup:
		return "BACKUP"
	case Master:
		return "MASTER"
	case Fault:
		return "FAULT"
	}
	return "INIT"
}
