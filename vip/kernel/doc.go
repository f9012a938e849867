// Package kernel puts virtual addresses on interfaces by netlink, keeps their
// leases, announces them by gratuitous ARP, and watches interfaces.
//
// A Manager is the shell around vip.Keeper and the Owner of the VRRP speaker:
// Set, Announce, Deadline and Tick run on the VRRP thread only. They take no
// lock that others hold, write no log (Watch does, from a queue) and wait for
// nothing but the kernel's own answer. Watch and Status are for other
// goroutines.
//
// # Whose address is it
//
// Every address of ours carries Protocol as its IFA_PROTO and a valid lifetime
// of seconds. `ip address` shows it as "dynamic" with "valid_lft 3sec"; newer
// versions (iproute2 6.3, not Debian 12's 6.1) also show the mark as "proto" with
// its number, or with the name that /etc/iproute2/rt_addrprotos gives it.
// An address without the mark, or without a
// lifetime, is somebody else's: it is never taken over, changed or removed, and
// when a virtual address is already there like that, Set says so and fails.
//
// Kernels before 5.18 do not keep the mark. There an address counts as ours when
// it is one of the configuration and has a remaining lifetime no longer than the
// lease; RemoveOrphans and Release find nothing, and the lease alone clears up
// after a dead process.
//
// Routes and rules carry Protocol as theirs. The kernel knows no lifetime for them: those of a dead process stay
// until the next start or Release, without the address that they were for.
//
// One baton per network namespace: whoever calls RemoveOrphans or Release must
// know (internal/daemon holds a lock) that no other baton lives there, because a
// living one's addresses look the same.
//
// # Virtual hardware addresses
//
// With use_vmac the addresses of an instance stand on a macvlan of ours, known by its alias. It is up while the
// instance is master only, so that no switch ever hears its hardware address from a backup; adverts, which come
// before the addresses, are framed with it by vrrp/vrrpnet and need no interface. The interface below must not speak
// for the addresses with its own hardware address: arp_ignore and arp_announce see to that, and are set back by End.
//
// # no_accept
//
// The rules that drop what goes to and comes from the addresses stand in a table of their own, `inet baton`, from
// start to end: they need no change when the master changes, since a packet to an address that is not on this host
// passes no input hook.
//
// # Routes and neighbours in the subnet
//
// Addresses are added plainly, as keepalived does and `ip address add` does by
// hand: with /32 the kernel makes no subnet route; where the interface has an
// address in the same subnet, ours becomes a secondary and again makes none;
// where it is the first of its subnet it brings the subnet's route, and takes it
// along when it goes. That last case has a trap: when the first address of a
// subnet goes, be it by hand or by the end of its lease, the kernel removes the
// others of that subnet too, whoever put them there, unless promote_secondaries
// is set on the interface. So a Manager sets it (and logs that) as soon as an
// address of ours stands first in its subnet.
//
// IPv6 knows no secondaries, but one route per subnet that all its addresses
// share, with one lifetime. An address of ours brings it only where no address of
// somebody else does.
package kernel
