// Package checkscript holds the health probes that move an instance's priority:
// keepalived's vrrp_script, and baton's in-process track_backend and
// track_traffic.
//
// A Checker keeps one probe's schedule and its rise and fall counters; Weigh and
// Effect are the arithmetic from verdicts to a priority. All of it is pure.
// Running a probe is not: checkscript/runner starts the processes and makes the
// in-process requests.
package checkscript
