package sample

// ConnError is why a connection failed before it was a session: the numbers of fc_err,
// as far as they occur here.
type ConnError uint8

// The errors.
const (
	NoError      ConnError = 0
	ProxyClosed  ConnError = 11
	ProxyFailed  ConnError = 12
	ProxyTimeout ConnError = 13
	ProxyCut     ConnError = 14
	ProxyForeign ConnError = 15
	ProxyInvalid ConnError = 16
)

// String is the message that logs show.
func (e ConnError) String() string {
	switch e {
	case ProxyClosed:
		return "Connection closed while waiting for PROXY protocol header"
	case ProxyFailed:
		return "Connection error while waiting for PROXY protocol header"
	case ProxyTimeout:
		return "Timeout while waiting for PROXY protocol header"
	case ProxyCut:
		return "Truncated PROXY protocol header received"
	case ProxyForeign:
		return "Received something which does not look like a PROXY protocol header"
	case ProxyInvalid:
		return "Received an invalid PROXY protocol header"
	}
	return "Success"
}
