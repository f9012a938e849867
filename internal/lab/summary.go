package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// summary is what remains of a demo at its end.
type summary struct {
	acts     []act
	spans    []span
	answered map[string]int // by web server
	failed   map[string]int // by reason
	halves   []half
	moves    moves
	end      time.Duration
}

// moves are the times that the address took, from what was done to the node.
type moves struct {
	kill  time.Duration // until the other node held it
	letGo time.Duration // until the dead node's kernel had let it go
	stop  time.Duration // the orderly way
}

// text prints the summary: who held the address when, what a client saw in each
// act, and who answered.
func (s *summary) text(st style) string {
	var b strings.Builder
	s.picture(&b, st)
	s.holders(&b, st)
	s.table(&b, st)
	s.totals(&b, st)
	s.verdict(&b, st)
	return b.String()
}

// marks are the signs of the picture.
type marks struct{ held, dead, none, fine, some, bad string }

func (st style) marks() marks {
	if st.utf8 {
		return marks{held: "█", dead: "░", none: "·", fine: "▪", some: "▫", bad: "×"}
	}
	return marks{held: "#", dead: "x", none: ".", fine: "+", some: "-", bad: "!"}
}

// picture draws both nodes and the client over time, a sign per half second.
func (s *summary) picture(b *strings.Builder, st style) {
	m := st.marks()
	cells := int((s.end + halfSecond - 1) / halfSecond)
	b.WriteString("\n" + st.paint(bold, "Who held "+vip) + "   one sign is half a second\n\n")

	axis := []byte(strings.Repeat(" ", cells+4))
	for i := 0; i <= cells; i += 10 { // every 5 s
		copy(axis[i:], fmt.Sprint(i/2))
	}
	b.WriteString("           " + strings.TrimRight(string(axis), " ") + " s\n")
	for _, n := range nodes() {
		b.WriteString("   " + fmt.Sprintf("%-8s", n.name))
		for i := range cells {
			from := time.Duration(i) * halfSecond
			middle := (from + min(from+halfSecond, s.end)) / 2
			switch sign := s.sign(n.name, middle, m); sign {
			case m.held:
				b.WriteString(st.paint(green, sign))
			case m.dead:
				b.WriteString(st.paint(red, sign))
			default:
				b.WriteString(st.paint(faint, sign))
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("   client  ")
	for i := range cells {
		var h half
		if i < len(s.halves) {
			h = s.halves[i]
		}
		switch {
		case h.answered > 0 && h.failed == 0:
			b.WriteString(m.fine)
		case h.answered > 0:
			b.WriteString(st.paint(red, m.some))
		case h.failed > 0 || s.asked(i):
			b.WriteString(st.paint(red, m.bad))
		default:
			b.WriteString(" ")
		}
	}
	fmt.Fprintf(b, "\n\n   node    %s holds it   %s is dead, but its kernel still has it   %s does not hold it\n"+
		"   client  %s all answered   %s some failed   %s no answer\n", m.held, m.dead, m.none, m.fine, m.some, m.bad)
}

// asked reports whether the client sent requests before and after a half second,
// so that hearing nothing in it means no answer.
func (s *summary) asked(i int) bool {
	some := func(h half) bool { return h.answered+h.failed > 0 }
	return i < len(s.halves) && slices.ContainsFunc(s.halves[:i], some) && slices.ContainsFunc(s.halves[i:], some)
}

func (s *summary) sign(node string, at time.Duration, m marks) string {
	for _, sp := range s.spans {
		if sp.node == node && sp.from <= at && at < sp.to {
			if sp.died > 0 && at >= sp.died {
				return m.dead
			}
			return m.held
		}
	}
	return m.none
}

// holders says the same in words.
func (s *summary) holders(b *strings.Builder, st style) {
	b.WriteString("\n")
	for _, sp := range s.spans {
		fmt.Fprintf(b, "   %-6s  %7.3f s to %7.3f s", sp.node, sp.from.Seconds(), sp.to.Seconds())
		if sp.died > 0 {
			fmt.Fprintf(b, "   killed at %.3f s; its kernel let go %s later", sp.died.Seconds(), ms(sp.to-sp.died))
		}
		b.WriteString("\n")
	}
	none := nobody(s.spans, s.end)
	fmt.Fprintf(b, "   nobody for %s in all; ", ms(none))
	// The two kernels' messages are read by two goroutines: what is closer than
	// this cannot be told apart.
	const blur = time.Millisecond
	switch both := shared(s.spans, 0); {
	case shared(s.spans, blur) == 0:
		b.WriteString("never both at once\n")
	case both < blur:
		b.WriteString("both at once for less than 1 ms, if at all\n")
	default:
		fmt.Fprintf(b, "both at once for %s in all\n", ms(both))
	}
}

// table has a row per act.
func (s *summary) table(b *strings.Builder, st style) {
	width := len("What the client saw")
	for _, a := range s.acts {
		width = max(width, len(a.title)+3)
	}
	b.WriteString("\n" + st.paint(bold, fmt.Sprintf("%-*s", width, "What the client saw")) + "      longest gap in ms            requests\n")
	fmt.Fprintf(b, "%-*s   new connections  keep-alive   answered  failed\n", width, "")
	for _, a := range s.acts {
		fmt.Fprintf(b, "   %-*s   %15s  %10s   %8s  ", width-3, a.title,
			gapText(a.longest[streamNew]), gapText(a.longest[streamKept]), count(a.answered))
		failed := fmt.Sprintf("%6s", count(a.failed))
		if a.failed > 0 {
			failed = st.paint(red, failed)
		}
		b.WriteString(failed + "\n")
	}
}

func gapText(d time.Duration) string { return count(int(d.Round(time.Millisecond) / time.Millisecond)) }

// totals says who answered, and why requests failed.
func (s *summary) totals(b *strings.Builder, st style) {
	n, by := tally(s.answered)
	b.WriteString("\n" + st.paint(bold, count(n)+" requests answered") + by + "\n")
	n, by = tally(s.failed)
	b.WriteString(st.paint(bold, count(n)+" requests failed") + by + "\n")
}

// verdict is what to keep in mind.
func (s *summary) verdict(b *strings.Builder, st style) {
	apart := "had let it go " + ms(s.moves.kill-s.moves.letGo) + " before"
	if s.moves.letGo > s.moves.kill {
		apart = "let it go " + ms(s.moves.letGo-s.moves.kill) + " later"
	}
	fmt.Fprintf(b, "\n%s after the kill: a backup waits for three adverts that do not come, one a\n"+
		"second, and 0.6 s more by its priority. The dead node's kernel %s, by itself: the\n"+
		"address is a lease. After the orderly stop it moved in %s.\n",
		st.paint(bold, "The address moved "+ms(s.moves.kill)), apart, ms(s.moves.stop))
}

// tally prints a map of counts: ": web1 10, web2 12".
func tally(m map[string]int) (sum int, by string) {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		sum += m[k]
		parts = append(parts, k+" "+count(m[k]))
	}
	if len(parts) > 0 {
		by = ": " + strings.Join(parts, ", ")
	}
	return sum, by
}
