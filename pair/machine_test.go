package pair

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"baton/internal/mono"

	"github.com/cockroachdb/datadriven"
)

// TestStories plays one end of a link in virtual time.
//
//	node [wins]                 a new one; wins: of two connections its own survives
//	start | stop
//	run for=D | until=T         the time passes, timers fire
//	connected c=N [out]         TLS is done; out: we dialled
//	dial-failed [refused]
//	hello c=N [process=P] [protocol=V]
//	state c=N | heartbeat c=N | takeover c=N | goodbye c=N why=W
//	end c=N by=kernel|lost|garbled
//	publish | ask
//
// All but run take at=T or after=D to let the time pass first.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			return s.command(d)
		})
	})
}

type story struct {
	t   *testing.T
	m   *Machine
	now mono.Time
	out strings.Builder
}

func (s *story) command(d *datadriven.TestData) string {
	s.out.Reset()
	if d.HasArg("at") {
		s.run(mono.Time(s.duration(d, "at")))
	}
	if d.HasArg("after") {
		s.run(s.now.Add(s.duration(d, "after")))
	}
	var c uint64
	if d.HasArg("c") {
		d.ScanArgs(s.t, "c", &c)
	}
	heard := func(m Message) { s.step(Event{Kind: Received, Conn: c, Message: m}) }
	switch d.Cmd {
	case "node":
		self, peer := ID{2}, ID{1}
		if d.HasArg("wins") {
			self, peer = peer, self
		}
		s.now, s.m = 0, NewMachine(self, peer, Hello{Incarnation: 7})
	case "start":
		s.step(Event{Kind: Start})
	case "stop":
		s.step(Event{Kind: Stop})
	case "run":
		to := s.now
		if d.HasArg("until") {
			to = mono.Time(s.duration(d, "until"))
		} else {
			to = to.Add(s.duration(d, "for"))
		}
		s.run(to)
	case "connected":
		s.step(Event{Kind: Connected, Conn: c, Outgoing: d.HasArg("out")})
	case "dial-failed":
		s.step(Event{Kind: DialFailed, Refused: d.HasArg("refused")})
	case "hello":
		h := Hello{Protocol: Protocol, Incarnation: 100}
		if d.HasArg("process") {
			d.ScanArgs(s.t, "process", &h.Incarnation)
		}
		if d.HasArg("protocol") {
			d.ScanArgs(s.t, "protocol", &h.Protocol)
		}
		heard(h)
	case "state":
		heard(State{})
	case "heartbeat":
		heard(Heartbeat{})
	case "takeover":
		heard(Takeover{})
	case "goodbye":
		why := map[string]Farewell{"leaving": Leaving, "duplicate": Duplicate, "unheard": Unheard, "incompatible": Incompatible}
		var w string
		d.ScanArgs(s.t, "why", &w)
		heard(Goodbye{Why: why[w]})
	case "end":
		how := map[string]End{"kernel": KernelEnd, "lost": Lost, "garbled": Garbled}
		var by string
		d.ScanArgs(s.t, "by", &by)
		s.step(Event{Kind: Ended, Conn: c, End: how[by]})
	case "publish":
		s.step(Event{Kind: Publish, State: State{Maintenance: true}})
	case "ask":
		s.step(Event{Kind: Say, Message: Takeover{ID: 1}})
	default:
		d.Fatalf(s.t, "unknown command %q", d.Cmd)
	}
	state := "down: " + s.m.Why().String()
	if s.m.IsUp() {
		state = "up"
	}
	next := "never"
	if s.m.Deadline() != mono.Never {
		next = stamp(s.m.Deadline())
	}
	fmt.Fprintf(&s.out, "%s %s, next at %s\n", stamp(s.now), state, next)
	return s.out.String()
}

func (s *story) run(to mono.Time) {
	for s.m.Deadline() <= to {
		s.now = max(s.now, s.m.Deadline())
		s.step(Event{Kind: Timer})
	}
	s.now = to
}

func (s *story) step(ev Event) {
	for _, a := range s.m.Step(s.now, ev, nil) {
		fmt.Fprintf(&s.out, "%s   %s\n", stamp(s.now), describe(a))
	}
	if d := s.m.Deadline(); ev.Kind == Timer && d <= s.now {
		s.t.Fatalf("a timer at %s is due again at %s", stamp(s.now), stamp(d))
	}
}

func (s *story) duration(d *datadriven.TestData, key string) time.Duration {
	var text string
	d.ScanArgs(s.t, key, &text)
	v, err := time.ParseDuration(text)
	if err != nil {
		d.Fatalf(s.t, "%s: %v", key, err)
	}
	return v
}

func stamp(t mono.Time) string {
	return strconv.FormatFloat(time.Duration(t).Seconds(), 'f', 3, 64) + "s"
}

func describe(a Action) string {
	switch a.Kind {
	case Dial:
		return "dial"
	case Send:
		text := strings.TrimPrefix(fmt.Sprintf("%T", a.Message), "pair.")
		if g, ok := a.Message.(Goodbye); ok {
			text += ", " + g.Why.String()
		}
		return fmt.Sprintf("send %d: %s", a.Conn, text)
	case Close:
		return fmt.Sprintf("close %d", a.Conn)
	case Up:
		if a.Again {
			return fmt.Sprintf("UP, the same process %d", a.Hello.Incarnation)
		}
		return fmt.Sprintf("UP, process %d", a.Hello.Incarnation)
	case Down:
		return "DOWN: " + a.Why.String()
	case Gone:
		return "GONE"
	case Heard:
		return strings.TrimPrefix(fmt.Sprintf("heard %T", a.Message), "pair.")
	}
	return fmt.Sprintf("action %d", a.Kind)
}

// FuzzMachine throws arbitrary events at a machine. Gone needs what doc.go says it
// needs, and no timer is due twice at one time.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 2, 1, 4, 1, 0, 5, 1, 0, 3, 1})
	f.Add([]byte{0, 2, 1, 4, 1, 0, 2, 2, 4, 2, 0, 5, 1, 0, 1, 9, 3, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		arg := func() byte {
			if len(script) == 0 {
				return 0
			}
			b := script[0]
			script = script[1:]
			return b
		}
		m, now := NewMachine(ID{arg()}, ID{1}, Hello{}), mono.Time(0)
		ended, verdict := false, false // a link that was up ended by the kernel; its second answer is here
		for len(script) > 0 {
			ev := Event{Kind: EventKind(arg() % uint8(Stop+1)), Conn: 1 + uint64(arg()%6)}
			up := m.IsUp()
			switch ev.Kind {
			case Timer:
				now = now.Add(time.Duration(arg()) * 50 * time.Millisecond)
			case Connected:
				ev.Outgoing = arg()%2 == 0
			case DialFailed:
				ev.Refused = arg()%2 == 0
				verdict = ev.Refused
			case Ended:
				ev.End = End(arg() % 3)
				verdict = ev.End == KernelEnd
			case Received:
				ev.Message = []Message{Hello{Protocol: uint16(arg() % 2), Incarnation: uint64(arg() % 2)}, State{}, Takeover{}, Goodbye{Why: Farewell(arg() % 6)}, Heartbeat{}, nil}[arg()%6]
			case Say:
				ev.Message = Takeover{}
			}
			out := m.Step(now, ev, nil)
			for _, a := range out {
				if a.Kind == Gone && (!ended || !verdict) {
					t.Fatal("gone, without both answers of the peer's kernel")
				}
			}
			if up && !m.IsUp() {
				ended = ev.Kind == Ended && ev.End == KernelEnd
			} else if m.IsUp() {
				ended = false
			}
			if ev.Kind == Timer && m.Deadline() <= now {
				t.Fatalf("due again at %v", m.Deadline())
			}
		}
	})
}

// TestTwoEnds lets both ends dial over a network that delays everything: they end
// up on the same single connection, whoever dialled first.
func TestTwoEnds(t *testing.T) {
	for seed := range uint64(300) {
		n := &network{t: t, rng: rand.New(rand.NewPCG(seed, 6)), conns: map[uint64]bool{}}
		n.ends[0] = NewMachine(ID{1}, ID{2}, Hello{Incarnation: 1})
		n.ends[1] = NewMachine(ID{2}, ID{1}, Hello{Incarnation: 2})
		n.post(time.Duration(n.rng.IntN(50))*time.Millisecond, 0, Event{Kind: Start})
		n.post(time.Duration(n.rng.IntN(50))*time.Millisecond, 1, Event{Kind: Start})
		n.run(mono.Time(4 * time.Second))
		a, b := n.ends[0], n.ends[1]
		if a.current == 0 || a.current != b.current || len(a.conns) != 1 || len(b.conns) != 1 {
			t.Fatalf("seed %d: ends at connections %d and %d, of %d and %d", seed, a.current, b.current, len(a.conns), len(b.conns))
		}
		if n.downs > 0 {
			t.Fatalf("seed %d: the link went down %d times on the way", seed, n.downs)
		}
	}
}

type network struct {
	t     *testing.T
	rng   *rand.Rand
	now   mono.Time
	ends  [2]*Machine
	mail  []letter
	conns map[uint64]bool // open
	last  uint64
	order [2]mono.Time // the latest arrival at each end: TCP keeps the order
	downs int
}

type letter struct {
	at mono.Time
	to int
	ev Event
}

func (n *network) post(delay time.Duration, to int, ev Event) {
	at := max(n.now.Add(delay), n.order[to]+1)
	n.order[to] = at
	n.mail = append(n.mail, letter{at, to, ev})
}

func (n *network) run(to mono.Time) {
	for {
		next, who := to, -1
		for i, e := range n.ends {
			if d := e.Deadline(); d < next {
				next, who = d, i
			}
		}
		which := -1
		for i, l := range n.mail {
			if l.at < next {
				next, who, which = l.at, l.to, i
			}
		}
		if who < 0 {
			return
		}
		n.now = max(n.now, next)
		ev := Event{Kind: Timer}
		if which >= 0 {
			ev = n.mail[which].ev
			n.mail = append(n.mail[:which], n.mail[which+1:]...)
		}
		n.step(who, ev)
	}
}

func (n *network) step(who int, ev Event) {
	other := 1 - who
	delay := func() time.Duration { return time.Duration(n.rng.IntN(3000)) * time.Microsecond }
	for _, a := range n.ends[who].Step(n.now, ev, nil) {
		switch a.Kind {
		case Dial:
			n.last++
			n.conns[n.last] = true
			n.post(delay(), other, Event{Kind: Connected, Conn: n.last})
			n.post(delay(), who, Event{Kind: Connected, Conn: n.last, Outgoing: true})
		case Send:
			n.post(delay(), other, Event{Kind: Received, Conn: a.Conn, Message: a.Message})
		case Close:
			if n.conns[a.Conn] {
				n.conns[a.Conn] = false
				n.post(delay(), other, Event{Kind: Ended, Conn: a.Conn, End: KernelEnd})
			}
		case Down:
			n.downs++
		case Gone:
			n.t.Fatal("gone")
		}
	}
}
