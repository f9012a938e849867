package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Verbs are what an operator can have the daemon do. Each is called for a request,
// on a goroutine of its own, and answers when it is done.
type Verbs struct {
	Handover    func(ctx context.Context, instance string, force bool) Answer
	Maintenance func(ctx context.Context, on, force bool) Answer
	Reload      func(ctx context.Context) Answer
}

// HandoverRequest is the body of POST /handover. No instance means all.
type HandoverRequest struct {
	Instance string `json:"instance,omitempty"`
	Force    bool   `json:"force,omitempty"`
}

// MaintenanceRequest is the body of POST /maintenance.
type MaintenanceRequest struct {
	On    bool `json:"on"`
	Force bool `json:"force,omitempty"`
}

// ReloadRequest is the body of POST /reload.
type ReloadRequest struct{}

// Answer is what a verb did.
type Answer struct {
	Text     string    `json:"text,omitempty"`
	Error    string    `json:"error,omitempty"` // why nothing was tried
	Outcomes []Outcome `json:"outcomes,omitempty"`
}

// Outcome is what a verb did to one instance.
type Outcome struct {
	Instance string `json:"instance"`
	Done     bool   `json:"done"`
	Text     string `json:"text"` // what was done, or why it was not
}

// Failed reports whether something was not done.
func (a Answer) Failed() bool {
	for _, o := range a.Outcomes {
		if !o.Done {
			return true
		}
	}
	return a.Error != ""
}

// maxRequest bounds the body of a request.
const maxRequest = 4096

// reloadTime bounds how long a reload may take to be answered.
const reloadTime = time.Minute

// Command has the socket do verbs. It must be called before Run.
func (s *Socket) Command(v Verbs) {
	s.mux.HandleFunc("POST /handover", func(w http.ResponseWriter, r *http.Request) {
		serveVerb(w, r, func(q HandoverRequest) Answer { return v.Handover(r.Context(), q.Instance, q.Force) })
	})
	s.mux.HandleFunc("POST /maintenance", func(w http.ResponseWriter, r *http.Request) {
		serveVerb(w, r, func(q MaintenanceRequest) Answer { return v.Maintenance(r.Context(), q.On, q.Force) })
	})
	s.mux.HandleFunc("POST /reload", func(w http.ResponseWriter, r *http.Request) {
		// Names are resolved in it. A connection that has no deadline to move is none of the socket's.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(reloadTime))
		serveVerb(w, r, func(ReloadRequest) Answer { return v.Reload(r.Context()) })
	})
}

func serveVerb[Q any](w http.ResponseWriter, r *http.Request, do func(Q) Answer) {
	var q Q
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	dec.DisallowUnknownFields() // a mistyped "force" must not be taken for none
	if err := dec.Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(do(q)) // the asker went away
}

// Handover asks the daemon behind the socket to hand over.
func Handover(ctx context.Context, socket string, q HandoverRequest) (Answer, error) {
	return command(ctx, socket, "/handover", q)
}

// Maintenance asks it to go into maintenance, or out of it.
func Maintenance(ctx context.Context, socket string, q MaintenanceRequest) (Answer, error) {
	return command(ctx, socket, "/maintenance", q)
}

// Reload asks it to read its configuration again.
func Reload(ctx context.Context, socket string) (Answer, error) {
	return command(ctx, socket, "/reload", ReloadRequest{})
}

func command(ctx context.Context, socket, path string, q any) (a Answer, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	raw, err := ask(ctx, socket, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, fmt.Errorf("status socket %s: %w", socket, err)
	}
	return a, nil
}
