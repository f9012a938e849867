package lab

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func TestSummary(t *testing.T) {
	const second, milli = time.Second, time.Millisecond
	gaps := func(newGap, kept time.Duration) map[string]time.Duration {
		return map[string]time.Duration{streamNew: newGap, streamKept: kept}
	}
	good := summary{
		acts: []act{
			{title: "all is well", longest: gaps(21*milli, 15*milli), answered: 400},
			{title: "lb1 is killed", longest: gaps(3601*milli, 4049*milli), answered: 1414, failed: 605},
		},
		spans: []span{
			{"lb1", 2 * second, 6 * second, 3 * second},
			{"lb2", 6600 * milli, 8*second + 400*time.Microsecond, 0},
			{"lb1", 8 * second, 11200 * milli, 0},
		},
		answered: map[string]int{"web2": 949, "web1": 1303}, failed: map[string]int{"connection refused": 601, "connection closed": 4},
		halves: []half{{}, {}, {}, {}, {10, 0}, {10, 0}, {3, 50}, {0, 50}, {0, 50}, {0, 50}, {0, 50}, {0, 50}, {}, {1, 1}, {10, 0}, {10, 0}, {10, 0}, {10, 0}, {10, 0}, {10, 0}, {10, 0}, {10, 0}, {10, 0}},
		moves:  moves{kill: 3600 * milli, letGo: 3 * second, stop: 603 * milli},
		end:    11200 * milli,
	}
	bad := good // the dead node's kernel let go late
	bad.spans = []span{{"lb1", 2 * second, 7 * second, 3 * second}, {"lb2", 6600 * milli, 11200 * milli, 0}}
	bad.moves.letGo = 4 * second
	bad.failed = nil
	apart := good
	apart.spans = []span{{"lb1", 2 * second, 6 * second, 0}, {"lb2", 6600 * milli, 11200 * milli, 0}}

	for _, c := range []struct {
		file  string
		s     summary
		style style
	}{
		{"ascii.txt", good, style{}},
		{"colour.txt", good, style{colour: true, utf8: true}},
		{"two-owners.txt", bad, style{utf8: true}},
		{"apart.txt", apart, style{utf8: true}},
	} {
		t.Run(c.file, func(t *testing.T) {
			got, path := c.s.text(c.style), "testdata/"+c.file
			if *rewrite {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
