// Package logsink carries log lines from the event loops to the targets of the
// `log` keyword: UDP and unix datagram sockets, and descriptors.
//
// A loop must never wait for a log server. Send copies the line into a bounded
// buffer of the target, under a mutex that is held for that copy alone, and a
// goroutine per target sends what has gathered: datagrams in batches, descriptors
// with one write. When a buffer is full because its target is slow or away, lines
// are dropped and counted. A target that fails is opened again with back-off; its
// first failure and its recovery are told to the Logger.
package logsink
