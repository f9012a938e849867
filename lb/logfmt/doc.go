// Package logfmt writes log lines: HAProxy's default, tcplog and httplog formats
// (chapter 8.2 of the configuration manual), custom ones (chapter 8.2.6), and the
// heads of its syslog formats (the `log` keyword). The samples in testdata were
// written by HAProxy 2.6; programs that read its logs read ours.
//
// A custom format is compiled once to a Format. The two lines that nearly everybody
// writes have functions of their own, twice as fast; tests hold them against their
// definitions as formats.
//
// One thing differs from HAProxy: control characters that an expression in a format
// gives are written as #XX, as chapter 8.6 has it for all that is logged.
//
// Nothing here allocates when dst has room.
package logfmt
