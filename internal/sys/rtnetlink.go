package sys

import "golang.org/x/sys/unix"

// Numbers of rtnetlink(7) that the users of a netlink library need beside it.
const (
	NetlinkRoute = unix.NETLINK_ROUTE

	GroupLink     = unix.RTNLGRP_LINK        // changes of interfaces
	GroupIPv4Addr = unix.RTNLGRP_IPV4_IFADDR // changes of their IPv4 addresses

	GroupIPv6Addr = unix.RTNLGRP_IPV6_IFADDR

	GroupIPv4Route = unix.RTNLGRP_IPV4_ROUTE
	GroupIPv6Route = unix.RTNLGRP_IPV6_ROUTE
	GroupIPv4Rule  = unix.RTNLGRP_IPV4_RULE
	GroupIPv6Rule  = unix.RTNLGRP_IPV6_RULE

	MsgNewAddr  = unix.RTM_NEWADDR
	MsgDelAddr  = unix.RTM_DELADDR
	MsgNewRoute = unix.RTM_NEWROUTE
	MsgDelRoute = unix.RTM_DELROUTE
	MsgNewRule  = unix.RTM_NEWRULE
	MsgDelRule  = unix.RTM_DELRULE
	MsgGetRule  = unix.RTM_GETRULE
	MsgSetLink  = unix.RTM_SETLINK

	AttrAddr      = unix.IFA_ADDRESS // the address itself with IPv6, the far end's with IPv4
	AttrAddrLocal = unix.IFA_LOCAL   // IPv4 only
	AttrAddrProto = 11               // IFA_PROTO, Linux 5.18

	AttrAddrBroadcast = unix.IFA_BROADCAST
	AttrAddrLabel     = unix.IFA_LABEL
	AttrAddrLease     = unix.IFA_CACHEINFO // its lifetimes
	AttrAddrFlags     = unix.IFA_FLAGS

	AttrLinkFamilies = unix.IFLA_AF_SPEC
	AttrInetConf     = unix.IFLA_INET_CONF
	FamilyIPv4       = unix.AF_INET

	// Sysctls of an interface (net.ipv4.conf), as IFLA_INET_CONF numbers them.
	ConfRPFilter           = 8
	ConfARPAnnounce        = 18
	ConfARPIgnore          = 19
	ConfPromoteSecondaries = 20
	ConfAcceptLocal        = 23

	FamilyIPv6        = unix.AF_INET6
	AttrInet6AddrMode = 8 // IFLA_INET6_ADDR_GEN_MODE: how a link-local address is made
	AddrModeNone      = 1 // not at all

	AttrRuleProtocol = unix.FRA_PROTOCOL

	AddrSecondary = unix.IFA_F_SECONDARY // flag: another address of the same subnet came first
	AddrPermanent = unix.IFA_F_PERMANENT // flag: no lifetime
	// Flags of IPv6 addresses.
	AddrNoDAD         = unix.IFA_F_NODAD       // use it at once, look for no duplicate
	AddrTentative     = unix.IFA_F_TENTATIVE   // it is being looked for a duplicate
	AddrDADFailed     = unix.IFA_F_DADFAILED   // there is one
	AddrHome          = unix.IFA_F_HOMEADDRESS // a home address of mobile IP
	AddrManageTemp    = unix.IFA_F_MANAGETEMPADDR
	AddrNoPrefixRoute = unix.IFA_F_NOPREFIXROUTE // make no route to its subnet; of IPv4, too

	ScopeUniverse = unix.RT_SCOPE_UNIVERSE
	ScopeLink     = unix.RT_SCOPE_LINK

	NetlinkDump    = unix.NLM_F_DUMP
	NetlinkCreate  = unix.NLM_F_CREATE
	NetlinkReplace = unix.NLM_F_REPLACE
	NetlinkAck     = unix.NLM_F_ACK // flag of a request

	LinkRunning  = unix.IFF_RUNNING
	LinkNoARP    = unix.IFF_NOARP
	LinkLoopback = unix.IFF_LOOPBACK
	LinkUp       = unix.IFF_UP
)
