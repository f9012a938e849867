package vrrp

import "baton/vrrp/packet"

// Differences is what an advert of another node shows to be other than this node's
// settings, and should not be: those that both nodes need alike, and the priority,
// which they should not have alike.
type Differences uint8

// The differences. Adverts with one of the first four are refused.
const (
	OtherVersion    Differences = 1 << iota // nothing else was looked at
	OtherAuth                               // authentication type
	OtherPassword                           // auth_pass
	OtherInterval                           // refused in version 2 only; version 3 adopts it
	OtherAddresses                          // accepted all the same
	OtherSum                                // with pseudo header here and without it there, or the reverse: accepted
	SamePriority                            // as the one in force here
	lastDifference  = SamePriority
	unacceptable    = OtherVersion | OtherAuth | OtherPassword
	unacceptableIn2 = unacceptable | OtherInterval
)

// Each calls f for every difference in the set.
func (d Differences) Each(f func(one Differences)) {
	for one := Differences(1); one <= lastDifference; one <<= 1 {
		if d&one != 0 {
			f(one)
		}
	}
}

// Refused reports whether adverts that differ so are refused by an instance of this version.
func (d Differences) Refused(version uint8) bool {
	if version == 3 {
		return d&unacceptable != 0
	}
	return d&unacceptableIn2 != 0
}

// Differs compares an advert of this instance's version with its settings.
func (i *Instance) Differs(ad *packet.Advert) Differences {
	var d Differences
	c := &i.cfg
	if ad.Version != 3 {
		switch {
		case ad.Auth.Type != c.Auth.Type:
			d |= OtherAuth
		case c.Auth.Type != packet.AuthNone && ad.Auth.Data != c.Auth.Data:
			d |= OtherPassword
		}
	} else if !c.IPv6 && ad.PlainSum != c.PlainSum {
		d |= OtherSum
	}
	if ad.Interval != c.AdvertInterval {
		d |= OtherInterval
	}
	if !i.sameAddresses(ad) {
		d |= OtherAddresses
	}
	if ad.Priority == i.Priority() && (i.state == Backup || i.state == Master) {
		d |= SamePriority
	}
	return d
}
