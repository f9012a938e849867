package admin

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Pair is the link to the other baton and what that one says. What it says is the
// last word while the link is down.
type Pair struct {
	Address   string    `json:"address"` // where the peer is reached
	Up        bool      `json:"up"`
	Since     time.Time `json:"since"`             // up, or down
	Why       string    `json:"why,omitempty"`     // it is down
	Problem   string    `json:"problem,omitempty"` // keys or sockets of this node
	DialError string    `json:"dial_error,omitempty"`
	Key       string    `json:"key,omitempty"`      // of this node
	PeerKey   string    `json:"peer_key,omitempty"` // the pinned one
	Strangers uint64    `json:"strangers"`          // connections from other addresses
	Refused   uint64    `json:"refused"`            // from the peer's, without its key

	Node        string         `json:"node,omitempty"` // "" until it was heard
	Version     string         `json:"version,omitempty"`
	Maintenance bool           `json:"maintenance,omitempty"`
	Reason      string         `json:"reason,omitempty"` // why it could serve nothing
	Instances   []PeerInstance `json:"instances"`
	Backends    []PeerBackend  `json:"backends"`
	Differences []string       `json:"differences"` // of configuration and view, in sentences
}

// PeerInstance is an instance as the other node sees it.
type PeerInstance struct {
	Name     string `json:"name"`
	VRID     int    `json:"vrid"`
	State    string `json:"state"`
	Priority int    `json:"priority"`
	Base     int    `json:"base_priority"`
	Holds    bool   `json:"holds"` // the addresses
	Ready    bool   `json:"ready"` // to be master
	Reason   string `json:"reason,omitempty"`
}

// PeerBackend is a backend as the other node sees it.
type PeerBackend struct {
	Name    string   `json:"name"`
	Usable  int      `json:"usable_servers"`
	Servers int      `json:"servers"`
	Down    []string `json:"down,omitempty"`
}

// WriteText prints the pair for people. now is the reader's clock.
func (p *Pair) WriteText(out io.Writer, now time.Time) error {
	var b strings.Builder
	p.write(&b, now)
	_, err := io.WriteString(out, b.String())
	return err
}

func (p *Pair) write(b *strings.Builder, now time.Time) {
	node := p.Address
	if p.Node != "" {
		node = fmt.Sprintf("%s (%s, baton %s)", p.Node, p.Address, p.Version)
	}
	state := "up"
	if !p.Up {
		state = "DOWN"
	}
	fmt.Fprintf(b, "pair link to %s: %s since %s\n", node, state, moment(p.Since, now))
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	if !p.Up && p.Why != "" {
		fmt.Fprintf(w, "  why\t%s\n", p.Why)
	}
	if !p.Up && p.DialError != "" {
		fmt.Fprintf(w, "  last try\t%s\n", p.DialError)
	}
	switch {
	case p.Maintenance:
		fmt.Fprintf(w, "  peer\tin maintenance\n")
	case p.Reason != "":
		fmt.Fprintf(w, "  peer\tnot ready: %s\n", p.Reason)
	}
	for _, i := range p.Instances {
		text := fmt.Sprintf("%s with priority %d", i.State, i.Priority)
		if i.Holds {
			text += ", holds the addresses"
		}
		switch {
		case i.State == "MASTER":
		case i.Ready:
			text += ", ready to take over"
		case i.Reason != p.Reason:
			text += ", not ready: " + i.Reason
		}
		if !p.Up {
			text += " (when last heard)"
		}
		fmt.Fprintf(w, "  %s there\t%s\n", i.Name, text)
	}
	for _, be := range p.Backends {
		text := fmt.Sprintf("%d of %d servers usable", be.Usable, be.Servers)
		if len(be.Down) > 0 {
			text += ", not " + strings.Join(be.Down, ", ")
		}
		fmt.Fprintf(w, "  %s there\t%s\n", be.Name, text)
	}
	for _, d := range p.Differences {
		fmt.Fprintf(w, "  differs\t%s\n", d)
	}
	if p.Strangers+p.Refused > 0 {
		fmt.Fprintf(w, "  refused\t%d connections from other addresses, %d without the peer's key\n", p.Strangers, p.Refused)
	}
	_ = w.Flush() // into a strings.Builder
}

// problems lists what an operator should look after.
func (p *Pair) problems() []string {
	var out []string
	switch {
	case p == nil:
		return nil
	case p.Problem != "":
		out = append(out, "no pair link: "+p.Problem)
	case !p.Up:
		out = append(out, "the pair link is down: "+p.Why)
	}
	for _, d := range p.Differences {
		out = append(out, "the nodes of the pair differ: "+d)
	}
	return out
}
