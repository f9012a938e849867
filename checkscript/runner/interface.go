package runner

import (
	"context"
	"fmt"

	"baton/checkscript"
	"baton/internal/mono"
)

// linkState is what is known about an interface.
type linkState uint32

const (
	linkUnknown linkState = iota
	linkDown
	linkUp
)

// SetInterface tells the track_interface probes how an interface is. It does not
// block.
func (r *Runner) SetInterface(name string, up bool) {
	state := linkDown
	if up {
		state = linkUp
	}
	for _, p := range r.set.Load().order {
		if p.Kind == checkscript.Interface && p.Interface == name && p.link.Swap(uint32(state)) != uint32(state) {
			p.wake()
		}
	}
}

// wake makes a probe that waits for changes look.
func (p *probe) wake() {
	select {
	case p.changed <- struct{}{}:
	default: // a wake-up is pending and will read the newest
	}
}

// followInterface is the life of a track_interface probe.
func (p *probe) followInterface(ctx context.Context) {
	for {
		if s := linkState(p.link.Load()); s != linkUnknown {
			v, text := checkscript.Down, "down or missing"
			if s == linkUp {
				v, text = checkscript.Up, "up"
			}
			res := result{ok: v == checkscript.Up, text: fmt.Sprintf("interface %s is %s", p.Interface, text)}
			p.store(mono.Now(), 0, res, v, 0, 1, v != p.status.Load().Verdict)
		}
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		}
	}
}
