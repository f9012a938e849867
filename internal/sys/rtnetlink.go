package sys

import "golang.org/x/sys/unix"

// Numbers of rtnetlink(7) that the users of a netlink library need beside it.
const (
	NetlinkRoute = unix.NETLINK_ROUTE

	GroupLink     = unix.RTNLGRP_LINK        // changes of interfaces
	GroupIPv4Addr = unix.RTNLGRP_IPV4_IFADDR // changes of their IPv4 addresses

	MsgNewAddr = unix.RTM_NEWADDR
	MsgDelAddr = unix.RTM_DELADDR
	MsgSetLink = unix.RTM_SETLINK

	AttrAddrLocal = unix.IFA_LOCAL
	AttrAddrProto = 11 // IFA_PROTO, Linux 5.18

	AttrLinkFamilies = unix.IFLA_AF_SPEC
	AttrInetConf     = unix.IFLA_INET_CONF
	FamilyIPv4       = unix.AF_INET

	// ConfPromoteSecondaries is the sysctl promote_secondaries of an interface,
	// as IFLA_INET_CONF numbers it.
	ConfPromoteSecondaries = 20

	AddrSecondary = unix.IFA_F_SECONDARY // flag: another address of the same subnet came first
	AddrPermanent = unix.IFA_F_PERMANENT // flag: no lifetime
	NetlinkAck    = unix.NLM_F_ACK       // flag of a request

	LinkRunning  = unix.IFF_RUNNING
	LinkNoARP    = unix.IFF_NOARP
	LinkLoopback = unix.IFF_LOOPBACK
	LinkUp       = unix.IFF_UP
)
