// Package keepalived gives keepalived's blocks their meaning: a conf.Tree becomes
// the configurations of vrrp, vip and checkscript, or findings that point at the
// word that is wrong.
//
// Every keyword of keepalived.conf(5) has a row in the table of its block: done,
// accepted with a warning because it cannot change anything here, or known and
// refused. So a word that is not done yet is told apart from a typing mistake, and
// Keywords prints the support matrix. track_backend and track_traffic are baton's
// own.
//
// The package is pure. What needs the file system or the other grammar is a
// separate step: CheckScripts and Link.
package keepalived
