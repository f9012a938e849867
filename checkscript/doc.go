// Package checkscript holds the health probes that lower an instance's priority:
// keepalived's vrrp_script, and baton's in-process track_backend and
// track_traffic.
//
// The arithmetic of rise, fall and weight is pure (Checker). Running a probe is
// not: checkscript/runner starts the processes and the in-process requests.
package checkscript
