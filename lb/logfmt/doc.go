// Package logfmt writes the log lines of HAProxy's default, tcplog and httplog
// formats (chapter 8.2 of the configuration manual) and the heads of its syslog
// formats (the `log` keyword). The samples in testdata were written by HAProxy
// 2.6; programs that read its logs read ours.
//
// Nothing here allocates when dst has room.
package logfmt
