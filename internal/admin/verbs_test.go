package admin

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVerbsOverTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "baton.sock")
	s, err := Listen(path, func() Status { return Status{} }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.Command(Verbs{
		Handover: func(_ context.Context, instance string, force bool) Answer {
			return Answer{Outcomes: []Outcome{{Instance: instance, Done: force, Text: "because"}}}
		},
		Maintenance: func(_ context.Context, on, force bool) Answer {
			if on && !force {
				return Answer{Error: "no"}
			}
			return Answer{Text: "yes"}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()

	a, err := Handover(t.Context(), path, HandoverRequest{Instance: "VI_1"})
	if d := cmp.Diff(Answer{Outcomes: []Outcome{{Instance: "VI_1", Text: "because"}}}, a); d != "" || err != nil || !a.Failed() {
		t.Errorf("%v, %v\n%s", a, err, d)
	}
	if a, err = Handover(t.Context(), path, HandoverRequest{Instance: "VI_1", Force: true}); err != nil || a.Failed() {
		t.Errorf("%v, %v", a, err)
	}
	if a, err = Maintenance(t.Context(), path, MaintenanceRequest{On: true}); err != nil || !a.Failed() {
		t.Errorf("%v, %v", a, err)
	}
	if a, err = Maintenance(t.Context(), path, MaintenanceRequest{}); err != nil || a.Text != "yes" {
		t.Errorf("%v, %v", a, err)
	}
	if _, err := command(t.Context(), path, "/handover", map[string]bool{"forse": true}); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("an unknown field: %v", err)
	}
	if _, err := ask(t.Context(), path, "GET", "/handover", nil); err == nil {
		t.Error("a handover by GET")
	}
}
