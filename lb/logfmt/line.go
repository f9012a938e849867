package logfmt

import (
	"net/netip"
	"strconv"
	"time"
)

// maxRequest is how much of a request line is logged: HAProxy's default
// tune.http.logurilen, less the C string's end.
const maxRequest = 1023

// AppendHTTP appends the line of `option httplog`.
func AppendHTTP(dst []byte, r *Record) []byte {
	dst = appendStart(dst, r)
	dst = appendMillis(dst, r.TR)
	dst = append(dst, '/')
	dst = appendMillis(dst, r.Tw)
	dst = append(dst, '/')
	dst = appendMillis(dst, r.Tc)
	dst = append(dst, '/')
	dst = appendMillis(dst, r.Tr)
	dst = append(dst, '/')
	dst = appendTotal(dst, r, r.Total)
	dst = append(dst, ' ')
	status := r.Status
	if status == 0 {
		status = -1
	}
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = appendBytes(dst, r)
	dst = appendCookie(append(dst, ' '), r.RequestCookie)
	dst = appendCookie(append(dst, ' '), r.ResponseCookie)
	dst = append(dst, ' ')
	dst = append(dst, r.State[:]...)
	dst = appendCounts(dst, r)
	for _, captures := range [...][][]byte{r.RequestHeaders, r.ResponseHeaders} {
		if len(captures) > 0 {
			dst = appendBraces(append(dst, ' '), captures, headerText, false)
		}
	}
	dst = append(dst, ` "`...)
	if r.Request == nil {
		dst = append(dst, "<BADREQ>"...)
	} else {
		dst = appendSafe(dst, r.Request[:min(len(r.Request), maxRequest)], lineText, false)
	}
	return append(dst, '"')
}

// AppendTCP appends the line of `option tcplog`.
func AppendTCP(dst []byte, r *Record) []byte {
	dst = appendStart(dst, r)
	dst = appendMillis(dst, r.Tw)
	dst = append(dst, '/')
	dst = appendMillis(dst, r.Tc)
	dst = append(dst, '/')
	dst = appendTotal(dst, r, r.Total)
	dst = append(dst, ' ')
	dst = appendBytes(dst, r)
	dst = append(dst, ' ')
	dst = append(dst, r.State[:2]...)
	return appendCounts(dst, r)
}

// AppendConnect appends the line of a proxy without a log format, due when a
// connection is accepted.
func AppendConnect(dst []byte, r *Record) []byte {
	dst = append(dst, "Connect from "...)
	dst = appendAddr(dst, r.Client)
	dst = append(dst, " to "...)
	dst = appendAddr(dst, r.Local)
	dst = append(dst, " ("...)
	dst = append(dst, r.Frontend...)
	if r.HTTP {
		return append(dst, "/HTTP)"...)
	}
	return append(dst, "/TCP)"...)
}

// AppendError appends the line of a connection that failed before it was a
// session (chapter 8.2.5), in a TLS handshake for example.
func AppendError(dst []byte, r *Record) []byte {
	dst = appendFrom(dst, r)
	dst = append(dst, r.Frontend...)
	dst = append(dst, '/')
	dst = append(dst, r.Bind...)
	dst = append(dst, ": "...)
	return append(dst, r.Message...)
}

// appendFrom appends "client:port [date] ".
func appendFrom(dst []byte, r *Record) []byte {
	dst = appendAddr(dst, r.Client)
	dst = append(dst, " ["...)
	dst = r.Dates.append(dst, r.Date)
	return append(dst, "] "...)
}

// appendStart appends what httplog and tcplog have in common, up to the timers.
func appendStart(dst []byte, r *Record) []byte {
	dst = appendFrom(dst, r)
	dst = append(dst, r.Frontend...)
	if r.TLS {
		dst = append(dst, '~')
	}
	dst = append(dst, ' ')
	if r.Backend == "" {
		dst = append(dst, r.Frontend...)
	} else {
		dst = append(dst, r.Backend...)
	}
	dst = append(dst, '/')
	if r.Server == "" {
		dst = append(dst, "<NOSRV>"...)
	} else {
		dst = append(dst, r.Server...)
	}
	return append(dst, ' ')
}

// appendCounts appends " actconn/feconn/beconn/srv_conn/retries srv_queue/backend_queue".
func appendCounts(dst []byte, r *Record) []byte {
	sep := byte(' ')
	for _, n := range [...]int{r.ProcessConns, r.FrontendConns, r.BackendConns, r.ServerConns} {
		dst = append(dst, sep)
		dst = strconv.AppendInt(dst, int64(n), 10)
		sep = '/'
	}
	dst = append(dst, '/')
	if r.Redispatched {
		dst = append(dst, '+')
	}
	dst = strconv.AppendInt(dst, int64(r.Retries), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, int64(r.ServerQueue), 10)
	dst = append(dst, '/')
	return strconv.AppendInt(dst, int64(r.BackendQueue), 10)
}

// appendAddr has no brackets round IPv6 addresses: HAProxy writes ::1:8080.
func appendAddr(dst []byte, a netip.AddrPort) []byte {
	if !a.Addr().IsValid() {
		return append(dst, "unix:0"...)
	}
	dst = a.Addr().AppendTo(dst)
	dst = append(dst, ':')
	return strconv.AppendUint(dst, uint64(a.Port()), 10)
}

func appendMillis(dst []byte, d time.Duration) []byte {
	if d < 0 {
		return append(dst, "-1"...)
	}
	return strconv.AppendInt(dst, d.Milliseconds(), 10)
}

// appendTotal and appendBytes mark what is not all with a plus sign.
func appendTotal(dst []byte, r *Record, d time.Duration) []byte {
	if r.Early {
		dst = append(dst, '+')
	}
	return appendMillis(dst, d)
}

func appendBytes(dst []byte, r *Record) []byte {
	if r.Early {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, r.Bytes, 10)
}

func appendCookie(dst, cookie []byte) []byte {
	if len(cookie) == 0 {
		return append(dst, '-')
	}
	return appendSafe(dst, cookie, lineText, false)
}
