package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"baton": main, "haproxy": main})
}

// TestCLI plays the command lines of testdata/*.txtar. Scripts that start a
// daemon run in a network namespace of their own (`[netns]`, command `isolated`).
func TestCLI(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Condition: func(cond string) (bool, error) {
			if cond == "netns" {
				return os.Geteuid() == 0 && exec.Command("unshare", "--net", "true").Run() == nil, nil
			}
			return false, nil
		},
	})
}
