package checkscript

import (
	"strings"
	"testing"
)

func TestMatches(t *testing.T) {
	tests := []struct {
		name string
		m    Match
		comm string
		argv string // words by |
		want bool
	}{
		{"name", Match{Name: "haproxy"}, "haproxy", "/usr/sbin/haproxy|-f", true},
		{"no part of a name", Match{Name: "ssh"}, "sshd", "", false},
		{"the kernel cuts names", Match{Name: "a-very-long-process-name"}, "a-very-long-pro", "", true},
		{"arguments exactly", Match{Name: "x", Args: []string{"a", "b"}, CommandLine: true}, "x", "x|a|b", true},
		{"one more", Match{Name: "x", Args: []string{"a", "b"}, CommandLine: true}, "x", "x|a|b|c", false},
		{"partial", Match{Name: "x", Args: []string{"a", "b"}, CommandLine: true, Partial: true}, "x", "x|a|b|c", true},
		{"partial, one fewer", Match{Name: "x", Args: []string{"a", "b"}, CommandLine: true, Partial: true}, "x", "x|a", false},
		{"initial", Match{Name: "x", Args: []string{"a", "b"}, CommandLine: true, Initial: true}, "x", "x|a|bcd", true},
		{"initial, another", Match{Name: "x", Args: []string{"a", "b"}, CommandLine: true, Initial: true}, "x", "x|ab|b", false},
		{"initial, no arguments wanted", Match{Name: "x", CommandLine: true, Initial: true}, "x", "x|a", false},
		{"no arguments", Match{Name: "/bin/x", CommandLine: true}, "x", "/bin/x", true},
		{"another path", Match{Name: "/bin/x", CommandLine: true}, "x", "x", false},
		{"a kernel thread", Match{Name: "x", CommandLine: true}, "x", "", false},
	}
	for _, tt := range tests {
		var argv []string
		if tt.argv != "" {
			argv = strings.Split(tt.argv, "|")
		}
		if got := tt.m.Matches(tt.comm, argv); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
