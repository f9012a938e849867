// Package daemon is the composition root: it reads the configuration, builds the
// balancer, the VRRP speaker, the owner of the virtual addresses and the probes,
// joins them, and runs them as one process from READY to exit.
//
// Nothing else knows two of the domains at once. Here it is written that a
// probe's verdict moves a priority, that a dead backend is such a verdict, that a
// VRRP state moves an address, and in which order they all start and stop.
package daemon
