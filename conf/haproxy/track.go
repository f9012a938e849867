package haproxy

import (
	"strings"

	"baton/conf"
)

// resolveTracks finds the servers that `track` names, after all sections have been
// read, and follows every chain to a server that is checked.
func (l *lowerer) resolveTracks() {
	for _, p := range l.proxies {
		for _, s := range p.servers {
			switch {
			case s.track.Text == "":
			case s.checked:
				l.errs.Errorf(s.track.Pos, "remove `check` or `track`", "server '%s/%s': checks and tracking cannot go together", p.name.Text, s.Name)
			default:
				if in, to := l.tracked(p, s.track); to != nil {
					s.tracked, s.Track = to, in.name.Text+"/"+to.Name
				}
			}
		}
	}
	for _, p := range l.proxies {
		for _, s := range p.servers {
			if s.tracked != nil {
				l.followTrack(p, s)
			}
		}
	}
}

func (l *lowerer) followTrack(p *proxy, s *server) {
	seen := make(map[*server]bool)
	end := s
	for ; end.tracked != nil; end = end.tracked {
		if seen[end] {
			l.errs.Errorf(s.track.Pos, "track a server that is checked", "server '%s/%s': its chain of tracked servers loops", p.name.Text, s.Name)
			return
		}
		seen[end] = true
	}
	if !end.checked && !end.agents && end.track.Text == "" {
		l.errs.Errorf(s.track.Pos, "add `check` to it", "server '%s/%s' cannot track '%s': no check at the end of its chain", p.name.Text, s.Name, s.track.Text)
	}
}

// tracked finds [<backend>/]<server>.
func (l *lowerer) tracked(p *proxy, w conf.Word) (in *proxy, to *server) {
	name := w.Text
	in = p
	if backend, server, found := strings.Cut(w.Text, "/"); found {
		if in = l.backend(backend); in == nil {
			l.errs.Errorf(w.Pos, l.nearBackend(backend), "unable to find the backend '%s' for tracking", backend)
			return nil, nil
		}
		name = server
	}
	var names []string
	for _, s := range in.servers {
		if s.Name == name {
			return in, s
		}
		names = append(names, s.Name)
	}
	l.errs.Errorf(w.Pos, didYouMean(name, names), "unable to find the server '%s/%s' for tracking", in.name.Text, name)
	return nil, nil
}
