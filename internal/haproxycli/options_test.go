package haproxycli

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		args string
		want Options
	}{
		{"-f a.cfg -f b", Options{Files: []string{"a.cfg", "b"}}},
		{"-D -p /run/x -f a -- b -c -x", Options{Daemon: true, PIDFile: "/run/x", Files: []string{"a", "b", "-c", "-x"}}},
		{"-Ws -q -f a", Options{MasterWorker: true, Notify: true, Quiet: true, Files: []string{"a"}}},
		{"-q -V -f a", Options{Verbose: true, Files: []string{"a"}}},
		{"-d -de -dMno-merge,tag -dW -dD -dr -f a", Options{Foreground: true, ZeroWarning: true, Diagnostic: true, AnyAddress: true, Files: []string{"a"}}},
		{"-f a -sf", Options{Files: []string{"a"}}},
		{"-sf 1 2 -st 3 -f a", Options{Finish: []int{1, 2}, Terminate: []int{3}, Files: []string{"a"}}},
		{"-n 5 -N 6 -m 7 -L me -C /x -f a", Options{Maxconn: 5, ProxyMaxconn: 6, Megabytes: 7, LocalPeer: "me", Dir: "/x", Files: []string{"a"}}},
		{"-vv", Options{Version: 2}},
		{"-f a -v -unknown", Options{Files: []string{"a"}, Version: 1}},
		{"-f -c", Options{Files: []string{"-c"}}},
	} {
		got, err := Parse(strings.Fields(c.args))
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if d := cmp.Diff(&c.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", c.args, d)
		}
	}
	for _, args := range []string{"", "-c", "-f", "-cc", "-p -c -f a", "-x -c -f a", "-S -W -f a", "-L -c -f a", "-n -c -f a", "-sf x -f a", "-sf 0 -f a", "-n -1 -f a", "-z -f a", "a.cfg", "-dKall -f a", "-dCx -f a", "-dt -f a"} {
		if o, err := Parse(strings.Fields(args)); err == nil {
			t.Errorf("%q: %+v", args, o)
		}
	}
	if _, err := Parse([]string{"-f", "a", "-unknown"}); !errors.Is(err, ErrUsage) {
		t.Errorf("an unknown flag: %v", err)
	}
}

// Another process's sockets arrive as they are, under their names; one that is not
// there has none.
func TestAskNobody(t *testing.T) {
	got, err := AskAll([]int{1 << 30})
	if err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}
