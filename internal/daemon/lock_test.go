package daemon

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"baton/internal/nettest"
)

func TestOneBatonPerNamespace(t *testing.T) {
	one, other := nettest.NewNS(t, "one"), nettest.NewNS(t, "other")
	acquire := func(ns *nettest.NS) (l *Lock, err error) {
		ns.Do(func() { l, err = Acquire() })
		return l, err
	}
	first, err := acquire(one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := acquire(one); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("pid %d", os.Getpid())) {
		t.Errorf("second lock: %v, want a refusal that names this process", err)
	}
	elsewhere, err := acquire(other)
	if err != nil {
		t.Errorf("another namespace: %v", err)
	} else {
		elsewhere.Release()
	}
	first.Release()
	again, err := acquire(one)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	again.Release()
}
