package pair

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var addrs = cmpopts.EquateComparable(netip.Addr{})

func samples() []Message {
	key := Key{Name: "VI_1", VRID: 51, Family: 4}
	return []Message{
		Hello{Protocol: 1, Incarnation: 1 << 40, Version: "1.0", Node: "lb1", Instances: []InstanceConfig{
			{Key: key, Interval: time.Second, Addresses: Digest{1}, Protocol: Digest{2}},
		}},
		State{
			Maintenance: true, Reason: "the balancer does not serve",
			Instances: []InstanceState{
				{Key: key, Role: Master, Priority: 101, Base: 100, Holds: true, Source: netip.MustParseAddr("10.0.0.1"), Reason: "x"},
				{Key: Key{"v6", 52, 6}, Role: Fault, Master: netip.MustParseAddr("fe80::1")},
			},
			Backends: []Backend{{Name: "app", Usable: 1, Total: 3, Down: []string{"web1", "web2"}}},
		},
		Goodbye{Why: Leaving},
		Takeover{ID: 7, Key: key, Force: true},
		Answer{ID: 7, Reason: "no"},
		Answer{ID: 8, Accepted: true},
		Cancel{ID: 7, Key: key},
		Heartbeat{},
	}
}

func TestRoundTrip(t *testing.T) {
	var stream []byte
	for _, m := range samples() {
		stream = Append(stream, m)
	}
	for i, want := range samples() {
		// However the bytes arrive, a frame is there when its last byte is.
		for cut := range stream {
			m, n, err := Next(stream[:cut])
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				if n != cut {
					t.Fatalf("message %d: frame of %d bytes found in %d", i, n, cut)
				}
				break
			}
			if m != nil {
				t.Fatal("a message without its bytes")
			}
		}
		got, n, err := Next(stream)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, addrs); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		stream = stream[n:]
	}
	if len(stream) != 0 {
		t.Errorf("%d bytes are left", len(stream))
	}
}

// The bytes are a contract with other versions.
func TestWireForm(t *testing.T) {
	got := hex.EncodeToString(Append(nil, Takeover{ID: 0x01020304, Key: Key{"VI", 51, 4}, Force: true}))
	if want := "04" + "00000a" + "01020304" + "02" + "5649" + "33" + "04" + "01"; got != want {
		t.Errorf("takeover is %s, want %s", got, want)
	}
}

// What a later version adds is passed over: kinds, fields of a message, fields of
// a record.
func TestLaterVersions(t *testing.T) {
	b := []byte{200, 0, 0, 2, 9, 9}
	if m, n, err := Next(b); m != nil || n != len(b) || err != nil {
		t.Errorf("unknown kind: %v, %d, %v", m, n, err)
	}
	b = Append(nil, Goodbye{Why: Leaving})
	b = append(b, 1, 2, 3)
	b[3] += 3
	if m, n, err := Next(b); m != (Goodbye{Why: Leaving}) || n != len(b) || err != nil {
		t.Errorf("longer message: %v, %d, %v", m, n, err)
	}
	// A State with one backend whose record has a field more.
	one := append([]byte{1, 'b', 0, 1, 0, 2, 0, 0}, "more"...)
	payload := append([]byte{0, 0, 0, 0, 0, 1, 0, byte(len(one))}, one...)
	m, _, err := Next(append([]byte{byte(KindState), 0, 0, byte(len(payload))}, payload...))
	if d := cmp.Diff(State{Backends: []Backend{{Name: "b", Usable: 1, Total: 2}}}, m, addrs); d != "" || err != nil {
		t.Errorf("longer record: %v\n%s", err, d)
	}
}

func TestRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"too long":                 {byte(KindState), 0x04, 0, 1},
		"short message":            {byte(KindAnswer), 0, 0, 2, 1, 2},
		"text beyond the end":      {byte(KindAnswer), 0, 0, 6, 0, 0, 0, 1, 0, 5},
		"records that do not come": {byte(KindState), 0, 0, 4, 0, 0, 0xff, 0xff},
		"an address of 5 bytes": append([]byte{byte(KindState), 0, 0, 22, 0, 0, 0, 1, 0, 16}, // one instance
			0, 1, 4, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0),
	} {
		if m, _, err := Next(b); err == nil {
			t.Errorf("%s: accepted as %v", name, m)
		}
	}
}

// Whatever a configuration holds fits into a message.
func TestBounded(t *testing.T) {
	var s State
	long := strings.Repeat("x", 1000)
	for range 3000 {
		s.Instances = append(s.Instances, InstanceState{Key: Key{Name: long}, Reason: long})
		s.Backends = append(s.Backends, Backend{Name: long, Down: []string{long, long, long}})
	}
	b := Append(nil, s)
	m, n, err := Next(b)
	if err != nil || n != len(b) || n > MaxPayload+headerLen {
		t.Fatalf("%d of %d bytes, %v", n, len(b), err)
	}
	if got := m.(State); len(got.Instances) < 400 || len(got.Instances[0].Reason) != maxText {
		t.Errorf("%d instances", len(got.Instances))
	}
}

// FuzzNext: no input makes a panic or takes memory beyond its size, and what is
// accepted says the same after another trip.
func FuzzNext(f *testing.F) {
	for _, m := range samples() {
		f.Add(Append(nil, m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, n, err := Next(b)
		if n > len(b) || err == nil && m != nil && n == 0 {
			t.Fatalf("%d bytes of %d", n, len(b))
		}
		if m == nil || err != nil {
			return
		}
		again, _, err := Next(Append(nil, m))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, again, addrs); d != "" {
			t.Fatal(d)
		}
	})
}
