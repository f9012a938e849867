package lb

import (
	"cmp"
	"fmt"
	"sync"

	"baton/internal/sys"
	"baton/lb/proxy"
	"baton/lb/spec"
)

// backlog of a listener: HAProxy takes the frontend's maxconn; the kernel caps it at somaxconn.
const backlog = 4096

// bound is a listening socket on its way to a loop.
type bound struct {
	fd   sys.FD
	w    *proxy.Worker
	fe   *proxy.Frontend
	bind *spec.Bind
}

// Listen opens every listener: one socket per loop for an address, with IP_FREEBIND
// (a takeover of the address later starts no socket), and one socket that all
// loops share for anything else. What an earlier process handed over (Options)
// is used as it is. On error nothing stays open.
func (l *LB) Listen() error {
	if err := l.checkSources(); err != nil {
		return err
	}
	for _, fe := range l.set.Frontends {
		if fe.Spec.Disabled {
			continue
		}
		for i := range fe.Spec.Binds {
			bind := &fe.Spec.Binds[i]
			sockets, err := l.sockets(fe.Spec, bind)
			for n, fd := range sockets {
				l.bound = append(l.bound, bound{fd, l.set.Workers[n%len(l.set.Workers)], fe, bind})
			}
			if err == nil {
				err = l.held.keep(bind, shapeOf(fe.Spec, bind), sockets)
			}
			if err != nil {
				l.closeBound()
				return &BindError{Bind: bind, Frontend: fe.Spec.Name, Err: err}
			}
		}
	}
	for _, rest := range l.o.Sockets {
		closeAll(rest)
	}
	l.o.Sockets, l.o.was = nil, nil
	l.listening.Store(true)
	return nil
}

// watchBound gives the listening sockets to their loops.
func (l *LB) watchBound() {
	for _, b := range l.bound {
		b.w.Loop.Post(func() {
			if err := b.w.Listen(b.fd, b.fe, b.bind); err != nil {
				l.log.Error("cannot watch a listener", "bind", b.bind.Text, "error", err)
			}
		})
	}
	l.bound = nil
}

func (l *LB) closeBound() {
	for _, b := range l.bound {
		b.fd.Close()
	}
	l.bound = nil
	l.held.close()
}

// shape is what a listening socket was opened with: one of another shape does not do.
type shape struct {
	ip   sys.ListenOptions
	file spec.SocketFile
}

func shapeOf(fe *spec.Frontend, bind *spec.Bind) shape {
	size := cmp.Or(fe.Backlog, backlog)
	switch bind.Kind {
	case spec.BindIP:
		return shape{ip: sys.ListenOptions{
			TCP: tcpOptions(fe, bind), Backlog: cmp.Or(bind.TCP.Backlog, size),
			V6Only: bind.Addr.Addr().Is6() && !bind.V4V6, FreeBind: true,
		}}
	case spec.BindUnix:
		return shape{file: bind.File}
	}
	return shape{}
}

// checkSources reports servers that are to see addresses which the process may not use.
func (l *LB) checkSources() error {
	for _, b := range l.cfg.Backends {
		for _, s := range b.Servers {
			from := b.Source
			if s.Source != nil {
				from = s.Source
			}
			if from == nil || from.As == spec.AsSelf {
				continue
			}
			if err := sys.CheckTransparent(); err != nil {
				return fmt.Errorf("%s: server %s/%s: source ... usesrc needs CAP_NET_ADMIN: %w", s.Pos, b.Name, s.Name, err)
			}
		}
	}
	return nil
}

// sockets opens or takes over the listening sockets of one bind, at least one for
// each loop. On error those that it made are in the list nevertheless.
func (l *LB) sockets(fe *spec.Frontend, bind *spec.Bind) ([]sys.FD, error) {
	want := len(l.set.Workers)
	list := l.o.Sockets[bind.Key()]
	delete(l.o.Sockets, bind.Key())
	form, ours := shapeOf(fe, bind), false
	if l.o.was != nil {
		var err error
		if list, ours, err = l.o.was.held.copies(bind, form); err != nil {
			return list, err
		}
	}
	if bind.Kind != spec.BindIP {
		return share(list, want, func() (sys.FD, error) { return listenLocal(bind, cmp.Or(fe.Backlog, backlog)) })
	}
	if len(list) == 0 && !ours {
		// SO_REUSEPORT would let a second daemon of the same user share our port in
		// silence; a first socket without it finds out.
		if err := sys.CheckPortFree(bind.Addr); err != nil {
			return nil, err
		}
	}
	for len(list) < want {
		fd, err := sys.ListenTCP(bind.Addr, form.ip)
		if err != nil {
			return list, err
		}
		list = append(list, fd)
	}
	return list, nil
}

func tcpOptions(fe *spec.Frontend, bind *spec.Bind) sys.TCPOptions {
	b, k := &bind.TCP, &fe.Keepalive
	return sys.TCPOptions{
		Interface: b.Interface, MSS: b.MSS, FastOpen: b.FastOpen, Defer: b.Defer, Transparent: b.Transparent, UserTimeout: b.UserTimeout,
		Keepalive: sys.Keepalive{On: k.On, Probes: k.Probes, Idle: k.Idle, Each: k.Each},
	}
}

// share returns want descriptors of one socket: of the first in list, where there
// is one, or of a new one.
func share(list []sys.FD, want int, open func() (sys.FD, error)) ([]sys.FD, error) {
	if len(list) == 0 {
		fd, err := open()
		if err != nil {
			return nil, err
		}
		list = append(list, fd)
	}
	for len(list) < want {
		fd, err := list[0].Dup()
		if err != nil {
			return list, err
		}
		list = append(list, fd)
	}
	return list, nil
}

// listenLocal opens a listener that is not bound to an IP address.
func listenLocal(bind *spec.Bind, size int) (sys.FD, error) {
	switch bind.Kind {
	case spec.BindFD:
		return sys.InheritedListener(bind.FD)
	case spec.BindAbstract:
		return sys.ListenAbstract(bind.Path, true, size)
	case spec.BindAbstractZ:
		return sys.ListenAbstract(bind.Path, false, size)
	}
	uid, gid, err := owner(bind.File)
	if err != nil {
		return sys.NoFD, err
	}
	return sys.ListenUnix(bind.Path, bind.File.Mode, uid, gid, size)
}

// BindError is a listener that could not be opened.
type BindError struct {
	Bind     *spec.Bind
	Frontend string
	Err      error
}

func (e *BindError) Error() string {
	return fmt.Sprintf("%s: frontend %s: cannot listen on %s: %v", e.Bind.Pos, e.Frontend, e.Bind.Text, e.Err)
}

func (e *BindError) Unwrap() error { return e.Err }

// Socket is a listening socket and the Key of its Bind.
type Socket struct {
	Key string
	FD  sys.FD
}

// held are second descriptors of the listening sockets, for a successor.
type held struct {
	mu  sync.Mutex
	all []heldSocket
}

type heldSocket struct {
	Socket
	bind  *spec.Bind
	shape shape
}

func (h *held) keep(bind *spec.Bind, form shape, list []sys.FD) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, fd := range list {
		dup, err := fd.Dup()
		if err != nil {
			return err
		}
		h.all = append(h.all, heldSocket{Socket{bind.Key(), dup}, bind, form})
	}
	return nil
}

// copies returns descriptors of the sockets that are bound and shaped so. ours reports
// that the port is used by sockets here, whatever their address. On error what was
// copied is in the list nevertheless.
func (h *held) copies(bind *spec.Bind, form shape) (list []sys.FD, ours bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.all {
		ours = ours || s.bind.Kind == spec.BindIP && s.bind.Addr.Port() == bind.Addr.Port()
		if s.Key != bind.Key() || s.shape != form {
			continue
		}
		dup, err := s.FD.Dup()
		if err != nil {
			return list, ours, err
		}
		list = append(list, dup)
	}
	return list, ours, nil
}

func (h *held) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.all {
		s.FD.Close()
	}
	h.all = nil
}

// HandOver gives the listening sockets to send, one after the other, until one
// fails. They stay this process's too.
func (l *LB) HandOver(send func(Socket) error) error {
	l.held.mu.Lock()
	defer l.held.mu.Unlock()
	for _, s := range l.held.all {
		if err := send(s.Socket); err != nil {
			return err
		}
	}
	return nil
}

func closeAll(list []sys.FD) {
	for _, fd := range list {
		fd.Close()
	}
}
