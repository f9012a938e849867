package proxy

import (
	"fmt"
	"testing"

	"baton/lb/spec"
)

// What counts in each layer, and that only errors in a row do.
func TestWatch(t *testing.T) {
	for _, c := range []struct {
		layer spec.Layer
		seen  []Sight
		want  string
	}{
		{spec.Layer4, []Sight{SawNoConnection, SawNoConnection, SawNoConnection}, "2:L4 unsuccessful connection"},
		{spec.Layer4, []Sight{SawNoConnection, SawConnection, SawNoConnection}, ""},
		{spec.Layer4, []Sight{SawWrongStatus, SawEnd, SawTimeout}, ""},
		{spec.Layer7, []Sight{sightOf(500), SawConnection, sightOf(503), sightOf(599)}, "3:Wrong http response"},
		{spec.Layer7, []Sight{sightOf(404), sightOf(501), sightOf(505), sightOf(200)}, ""},
		{spec.Layer7, []Sight{SawEnd, SawAnswer, SawBadAnswer, SawTimeout, SawNoConnection}, "4:Read timeout (http)"},
	} {
		got := ""
		for i := range c.seen {
			s := &Server{watch: &Watch{Layer: c.layer, Limit: 2}}
			s.watch.Reached = func(last Sight) { got = fmt.Sprintf("%d:%v", i+1, last) }
			for _, what := range c.seen[:i+1] {
				s.saw(what)
			}
			if got != "" {
				break
			}
		}
		if got != c.want {
			t.Errorf("%v %v: %q, want %q", c.layer, c.seen, got, c.want)
		}
	}
}
