package health

// Server joins all that decides whether a server gets traffic. The zero value is a
// server that nothing speaks against.
type Server struct {
	CheckDown bool // by its checks, or those of the one that it tracks
	AgentDown bool
	Nameless  bool // its name leads nowhere
	Stopping  bool // its checks pass conditionally: no new clients
	Drain     bool // the agent wants no new clients
	Maint     bool // the agent wants it out of service
}

// Up reports whether checks and agent find the server up.
func (s *Server) Up() bool { return !s.CheckDown && !s.AgentDown }

// Serves reports whether requests may go to the server, at least those that belong to it.
func (s *Server) Serves() bool { return s.Up() && !s.Nameless && !s.Maint }

// Shares reports whether it gets new clients.
func (s *Server) Shares() bool { return s.Serves() && !s.Stopping && !s.Drain }

// String is the server's state as statistics show it, where checked is that of its
// checks.
func (s *Server) String(checked string) string {
	switch {
	case s.Maint:
		return "MAINT"
	case s.Nameless:
		return "MAINT (resolution)"
	case s.CheckDown:
		return checked
	case s.AgentDown:
		return "DOWN (agent)"
	case s.Drain:
		return "DRAIN"
	case s.Stopping:
		return "NOLB"
	}
	return checked
}

// ChangeTo names the change from s to another state, for the log; ok is false where
// there is nothing to tell.
func (s *Server) ChangeTo(to Server) (what Change, ok bool) {
	switch {
	case to.Maint != s.Maint && to.Maint:
		return EntersMaint, true
	case to.Maint != s.Maint:
		return LeavesMaint, true
	case to.Maint:
		return 0, false
	case to.Drain != s.Drain && to.Drain:
		return EntersDrain, true
	case to.Drain != s.Drain:
		return LeavesDrain, true
	case s.Up() && !to.Up():
		return WentDown, true
	case !s.Up() && to.Up(), s.Stopping && !to.Stopping && to.Up():
		return WentUp, true
	case to.Stopping && !s.Stopping:
		return IsStopping, true
	}
	return 0, false
}
