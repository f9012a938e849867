package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Type is what a query asks for.
type Type uint8

// The types.
const (
	A Type = iota
	AAAA
	SRV
)

func (t Type) String() string { return [...]string{"A", "AAAA", "SRV"}[t] }

func (t Type) wire() dnsmessage.Type {
	return [...]dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeSRV}[t]
}

// Status is what a response, or the wait for one, came to.
type Status uint8

// The statuses; all but Valid have a `hold` of their own.
const (
	Valid   Status = iota // at least one record of the type asked for
	NX                    // NXDOMAIN
	Refused               // REFUSED
	Timeout               // nobody answered in time
	Other                 // any other code, an empty or a truncated answer
)

func (s Status) String() string {
	return [...]string{"valid", "NXDOMAIN", "refused", "timeout", "no usable answer"}[s]
}

// Record is one record of an answer. Those of SRV answers have a Target, and an Addr
// where the response's additional section told it.
type Record struct {
	Addr     netip.Addr
	Target   string // lower case, no dot at the end
	Port     uint16
	Weight   uint16
	Priority uint16
}

// Answer is what a response said.
type Answer struct {
	Status  Status
	Records []Record // of Valid
}

// ErrNotOurs is the error of a message that answers another query, or nothing: it
// may be somebody else's guess and is to be ignored.
var ErrNotOurs = errors.New("not an answer to this query")

// Query builds the message that asks for name. payload is the largest answer to be
// sent over UDP, at least 512 (RFC 6891 section 6.2.3).
func Query(id uint16, name string, t Type, payload int) ([]byte, error) {
	n, err := dnsmessage.NewName(name + ".")
	if err != nil {
		return nil, fmt.Errorf("name %q: %w", name, err)
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: id, RecursionDesired: true})
	b.EnableCompression()
	var opt dnsmessage.ResourceHeader
	err = errors.Join(
		b.StartQuestions(),
		b.Question(dnsmessage.Question{Name: n, Type: t.wire(), Class: dnsmessage.ClassINET}),
		b.StartAdditionals(),
		opt.SetEDNS0(payload, dnsmessage.RCodeSuccess, false),
		b.OPTResource(opt, dnsmessage.OPTResource{}),
	)
	if err != nil {
		return nil, fmt.Errorf("name %q: %w", name, err)
	}
	return b.Finish()
}

// Parse reads the answer to a query. The error is ErrNotOurs, or the fault of a
// message that begins like ours and is broken.
func Parse(msg []byte, id uint16, name string, t Type) (Answer, error) {
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil || h.ID != id || !h.Response {
		return Answer{}, ErrNotOurs
	}
	q, err := p.Question()
	if err != nil || q.Type != t.wire() || q.Class != dnsmessage.ClassINET || !sameName(q.Name, name) {
		return Answer{}, ErrNotOurs
	}
	if err := p.SkipAllQuestions(); err != nil {
		return Answer{}, fmt.Errorf("answer for %s: %w", name, err)
	}
	switch {
	case h.RCode == dnsmessage.RCodeNameError:
		return Answer{Status: NX}, nil
	case h.RCode == dnsmessage.RCodeRefused:
		return Answer{Status: Refused}, nil
	case h.RCode != dnsmessage.RCodeSuccess, h.Truncated:
		return Answer{Status: Other}, nil
	}
	a, err := records(&p, name, t)
	if err != nil {
		return Answer{}, fmt.Errorf("answer for %s: %w", name, err)
	}
	if len(a.Records) == 0 {
		a.Status = Other
	}
	return a, nil
}

func sameName(n dnsmessage.Name, name string) bool {
	return strings.EqualFold(strings.TrimSuffix(n.String(), "."), name)
}

func plain(n dnsmessage.Name) string { return strings.ToLower(strings.TrimSuffix(n.String(), ".")) }

// records reads the answer section, following aliases in the order that resolvers
// write them (RFC 1034 section 3.6.2), and for SRV the addresses behind it.
func records(p *dnsmessage.Parser, name string, t Type) (Answer, error) {
	var a Answer
	owner := strings.ToLower(name)
	for {
		h, err := p.AnswerHeader()
		if err == dnsmessage.ErrSectionDone {
			break
		}
		if err != nil {
			return a, err
		}
		switch {
		case plain(h.Name) == owner && h.Type == dnsmessage.TypeCNAME:
			c, err := p.CNAMEResource()
			if err != nil {
				return a, err
			}
			owner = plain(c.CNAME)
		case plain(h.Name) == owner && h.Type == t.wire():
			r, err := record(p, t)
			if err != nil {
				return a, err
			}
			if !contains(a.Records, r) {
				a.Records = append(a.Records, r)
			}
		default:
			if err := p.SkipAnswer(); err != nil {
				return a, err
			}
		}
	}
	if t != SRV {
		return a, nil
	}
	return a, additional(p, a.Records)
}

func contains(rs []Record, r Record) bool {
	for _, o := range rs {
		if o == r {
			return true
		}
	}
	return false
}

func record(p *dnsmessage.Parser, t Type) (Record, error) {
	switch t {
	case A:
		r, err := p.AResource()
		return Record{Addr: netip.AddrFrom4(r.A)}, err
	case AAAA:
		r, err := p.AAAAResource()
		return Record{Addr: netip.AddrFrom16(r.AAAA)}, err
	}
	r, err := p.SRVResource()
	if err != nil {
		return Record{}, err
	}
	return Record{Target: plain(r.Target), Port: r.Port, Weight: r.Weight, Priority: r.Priority}, nil
}

// additional takes the addresses that came with SRV records: the first of each target.
func additional(p *dnsmessage.Parser, rs []Record) error {
	if err := p.SkipAllAuthorities(); err != nil {
		return err
	}
	for {
		h, err := p.AdditionalHeader()
		if err == dnsmessage.ErrSectionDone {
			return nil
		}
		if err != nil {
			return err
		}
		var addr netip.Addr
		switch h.Type {
		case dnsmessage.TypeA:
			r, err := p.AResource()
			if err != nil {
				return err
			}
			addr = netip.AddrFrom4(r.A)
		case dnsmessage.TypeAAAA:
			r, err := p.AAAAResource()
			if err != nil {
				return err
			}
			addr = netip.AddrFrom16(r.AAAA)
		default:
			if err := p.SkipAdditional(); err != nil {
				return err
			}
			continue
		}
		for i := range rs {
			if rs[i].Target == plain(h.Name) && !rs[i].Addr.IsValid() {
				rs[i].Addr = addr
			}
		}
	}
}
