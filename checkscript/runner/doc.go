// Package runner runs health probes: scripts as child processes, and baton's
// in-process probes (the balancer's own liveness, usable servers of a backend, a
// request through an own listener).
//
// A script runs in a process group of its own, without a shell, with /dev/null
// for its standard streams, as the user that its probe names. Nothing that it
// started in its group outlives a timeout or the end of Run.
package runner
