package sample

import "time"

// Session is the session around an expression. Its methods are called on the event
// loop: they must not block or allocate.
type Session interface {
	// Tell fills in what is known of the session now.
	Tell(*Facts)
	// TCPInfo reads what the kernel knows of the connection to the client, or to the
	// server. ok is false where there is none, or it is not TCP.
	TCPInfo(server bool) (info TCPInfo, ok bool)
}

// Facts are what a session knows of itself.
type Facts struct {
	Times
	HTTP         bool
	Accepted     time.Time // the connection
	Began        time.Time // the request's first byte, in mode tcp the connection
	In, Out      int64     // bytes from and to the client
	Retries      int
	Redispatched bool
	Status       int     // sent to the client; 0: none yet
	State        [2]byte // why it ended: the first two letters of chapter 8.5
	Number       uint32  // of the transaction
	Forwarded    bool    // a server got it
	Abnormal     bool    // as option dontlog-normal sees it
	Reused       bool    // over a connection to the server that had served before

	ClientTimeout, ServerTimeout, TunnelTimeout time.Duration // as rules have left them; 0: none
	PriorityClass                               int
	PriorityOffset                              time.Duration

	BindID   int    // number of the listening socket in its frontend, from 1; 0: there is none
	BindName string // "": it has none

	RuleFile string // of the last rule that ended an evaluation of rules; "": none did
	RuleLine int
}

// Times are the timers of chapter 8.4; negative where the phase was not reached.
type Times struct {
	TR    time.Duration // first byte to complete request head (HTTP)
	Tw    time.Duration // in queues
	Tc    time.Duration // connecting to the server
	Tr    time.Duration // server's response time (HTTP)
	Th    time.Duration // handshakes before the first byte
	Ti    time.Duration // idle before the request's first byte (HTTP); 0 where it is not known
	Total time.Duration // Ta in HTTP, Tt in TCP
}

// Td is what is left of the total when the response's head, in mode tcp the
// connection, was there; -1 before that.
func (t *Times) Td(http bool) time.Duration {
	if http && t.Tr < 0 || !http && t.Tc < 0 {
		return -1
	}
	d := t.Total
	for _, part := range [...]time.Duration{t.TR, t.Tw, t.Tc, t.Tr} {
		d -= max(part, 0)
	}
	return max(d, 0)
}

// Tq is the time from the end of the handshakes to the complete head.
func (t *Times) Tq() time.Duration {
	if t.Ti < 0 || t.TR < 0 {
		return -1
	}
	return t.Th + t.Ti + t.TR
}

// Tt is the total with handshakes and idle time.
func (t *Times) Tt() time.Duration { return t.Th + max(t.Ti, 0) + t.Total }

// Tu is what the user waited.
func (t *Times) Tu() time.Duration { return t.Th + t.Total }

// Millis is a timer as logs and samples have it.
func Millis(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return d.Milliseconds()
}

// TCPInfo is a part of tcp(7)'s TCP_INFO.
type TCPInfo struct {
	RTT, RTTVar                                         time.Duration
	Unacked, Sacked, Lost, Retrans, Fackets, Reordering uint32
}
