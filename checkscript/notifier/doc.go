// Package notifier tells scripts and named pipes what becomes of instances and
// sync groups (keepalived.conf, notify_master and vrrp_notify_fifo).
//
// Tell never waits. Each target has a queue and a goroutine of its own, which runs
// its scripts one after the other, in the order of the changes; keepalived starts
// them side by side, so that a slow notify_master may end after the notify_backup
// that came later. A script that takes very long does not hold the next one up for
// ever: it goes on beside it. Each FIFO has a queue and a goroutine too, and gets
// every line in the order of Tell.
package notifier
