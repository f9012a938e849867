package proxy

import (
	"time"

	"baton/internal/mono"
	"baton/lb/engine"
)

// relayEnd says how a relay came to its end.
type relayEnd uint8

const (
	relayDone    relayEnd = iota // both directions complete
	clientFailed                 // the client's socket failed, or ended before its message
	serverFailed
	clientSilent // timeout client
	serverSilent // timeout server, or tunnel
	serverGarbled
	clientGarbled
)

// termination of a session that ends with the relay.
func (e relayEnd) termination() termination {
	switch e {
	case clientFailed, clientGarbled:
		return termination{'C', 'D'}
	case serverFailed:
		return termination{'S', 'D'}
	case clientSilent:
		return termination{'c', 'D'}
	case serverSilent:
		return termination{'s', 'D'}
	case serverGarbled:
		return termination{'P', 'D'}
	}
	return termination{'-', '-'}
}

// idle holds the inactivity limits of a relay's sides, and what belongs to them; 0 is none. The fin limits
// replace the others where the opposite side has closed and only the end of this
// one is awaited (`timeout client-fin` and `server-fin`); 0: they stay.
type idle struct {
	client, server       time.Duration
	clientFin, serverFin time.Duration
	// What is sent to a side is no sign of its life (option independent-streams).
	ownClient, ownServer bool
	// A tunnel ends with the client's half (option nolinger of the backend).
	abrupt bool
}

// limits are the inactivity limits of a session.
func limits(fe *Frontend, be *Backend) idle {
	front, back := &fe.Spec.Timeouts, &be.Spec.Timeouts
	return idle{
		client: front.Client, server: back.Server,
		ownClient: fe.Spec.Independent, ownServer: be.Spec.Independent, abrupt: be.Spec.NoLinger,
	}
}

// tunnelLimits are those of a tunnel, where both sides may close by halves; `timeout
// tunnel` replaces those of both sides.
func tunnelLimits(fe *Frontend, be *Backend) idle {
	l := limits(fe, be)
	l.clientFin, l.serverFin = fe.Spec.Timeouts.ClientFin, be.Spec.Timeouts.ServerFin
	if t := be.Spec.Timeouts.Tunnel; t > 0 {
		l.client, l.server = t, t
	}
	return l
}

// hearing remembers when a flow's source was last heard.
type hearing struct {
	came int64
	at   mono.Time
}

func (h *hearing) update(f *flow, now mono.Time) {
	if n := f.came(); n != h.came {
		h.came, h.at = n, now
	}
}

// relay runs two flows between a client and a server until both are done or one
// fails. Bytes in either direction are a sign of life of both sides, as HAProxy
// counts it without `option independent-streams`; so the shorter timeout decides.
//
// With half set, for tunnels, the end of one direction is passed on (FIN) while the
// other goes on. Without it the flows are a request's body and its response: a server
// that takes no more of the one may still give the other, and whoever closes behind a
// whole response does not want the rest of the request.
func relay(t *engine.Task, up, down *flow, limits idle, half bool) relayEnd {
	var upShut, downShut bool
	fromClient, fromServer := hearing{at: t.Now()}, hearing{at: t.Now()}
	for {
		busyUp, err := up.step(t.Loop())
		switch {
		case err == errDest && !half:
			up.lost = true
		case err != nil:
			return upEnd(err)
		}
		busyDown, err := down.step(t.Loop())
		if err != nil {
			return downEnd(err)
		}
		if half && up.done && limits.abrupt {
			return relayDone
		}
		if half && up.done && !upShut {
			up.dst.ShutdownWrite()
			upShut = true
		}
		if half && down.done && !downShut {
			down.dst.ShutdownWrite()
			downShut = true
		}
		switch {
		case down.done && (!up.open() || !half && up.dst.PeerShut()):
			return relayDone
		case busyUp || busyDown:
			t.Yield()
			continue
		}
		client, server := t.Now(), t.Now()
		if limits.ownClient {
			fromClient.update(up, t.Now())
			client = fromClient.at
		}
		if limits.ownServer {
			fromServer.update(down, t.Now())
			server = fromServer.at
		}
		deadline, silent := idleDeadline(t.Now(), client, server, up, down, limits)
		upSrc, upDst := up.wants()
		downSrc, downDst := down.wants()
		if t.Wait2(up.src, upSrc|downDst, up.dst, upDst|downSrc, deadline) != nil {
			return silent
		}
	}
}

// idleDeadline is when a relay that waits has waited long enough, and for whom: a
// side counts only while something is expected of it. fromClient and fromServer are when
// the sides were last taken to live; one that takes what is sent to it lives now.
func idleDeadline(now, fromClient, fromServer mono.Time, up, down *flow, limits idle) (mono.Time, relayEnd) {
	client, server := limits.client, limits.server
	if down.done && limits.clientFin > 0 {
		client = limits.clientFin
	}
	if up.done && limits.serverFin > 0 {
		server = limits.serverFin
	}
	deadline, silent := mono.Never, clientSilent
	switch {
	case client == 0:
	case down.pending():
		deadline = now.Add(client)
	case up.open() && !up.pending():
		deadline = fromClient.Add(client)
	}
	end := mono.Never
	switch {
	case server == 0:
	case up.open() && up.pending():
		end = now.Add(server)
	case !down.done && !down.pending():
		end = fromServer.Add(server)
	}
	if end < deadline {
		deadline, silent = end, serverSilent
	}
	return deadline, silent
}

func upEnd(err error) relayEnd {
	switch err {
	case errDest:
		return serverFailed
	case errFormat:
		return clientGarbled
	}
	return clientFailed
}

func downEnd(err error) relayEnd {
	switch err {
	case errDest:
		return clientFailed
	case errFormat:
		return serverGarbled
	case errSilent:
		return serverSilent
	}
	return serverFailed
}
