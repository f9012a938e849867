// Package lab plays a pair of batons on one host: two nodes, three web servers
// and a client, each in a network namespace of its own on one bridge, with
// ordinary configuration files. The bridge has a namespace too, so the host's
// own interfaces, addresses and firewall have no part in it.
//
//	client ── 192.0.2.100:80 ──┬── lb1 ──┬── web1
//	                           └── lb2   ├── web2
//	                                     └── web3
//
// Up leaves the lab running to play with; Demo tells a story in it and takes it
// away. Every piece is a process anybody could start by hand in `ip netns exec`:
// `baton run` on the nodes, and on the other hosts the small servers and the
// client of this package (Web, Client), which are hidden verbs of the binary.
//
// What is measured and said (traffic.go, tenure.go, timeline.go, summary.go) is
// computed by plain values from events; what touches the host stands in the
// other files.
package lab
