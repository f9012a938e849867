package vrrp

import (
	"net/netip"
	"time"

	"baton/vrrp/packet"
)

// Config is one vrrp_instance as the protocol sees it. A Config is made by
// conf/keepalived and is valid: the state machine does not check it again.
type Config struct {
	Name           string
	Interface      string
	VRID           uint8         // 1..255
	Priority       uint8         // base priority, 1..255; 255 owns the addresses
	AdvertInterval time.Duration // VRRPv2: whole seconds, 1..255
	StartAsMaster  bool          // `state MASTER`; only 255 acts on it (keepalived 2.x)
	NoPreempt      bool
	Auth           packet.Auth
	Source         netip.Addr   // mcast_src_ip; zero: the interface's primary address
	Advertised     []netip.Addr // addresses carried in adverts, in the order of the file

	DownAdverts          int           // down_timer_adverts, 1..100; 0 stands for the RFCs' 3
	PreemptDelay         time.Duration // preempt_delay: how long a lower master is left alone
	StartDelay           time.Duration // vrrp_startup_delay: no part in elections for so long
	DontTrackPrimary     bool          // dont_track_primary: the interface being down is no fault
	LowerPrioNoAdvert    bool          // lower_prio_no_advert: a master does not answer a lower rank
	HigherPrioSendAdvert bool          // higher_prio_send_advert: a master speaks once more before it yields
	SkipAddressCheck     bool          // skip_check_adv_addr: trust the list of the master that was heard before
}

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
