package mailer

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"baton/checkscript"
	"baton/internal/nettest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// rig is a mailer and what it logs.
type rig struct {
	*Mailer
	stop func()

	mu  sync.Mutex
	log bytes.Buffer
}

func (r *rig) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

func (r *rig) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// run starts a mailer for instance VI_1 and group G, which have smtp_alert, and VI_2,
// which has not.
func run(t *testing.T, server string) *rig {
	t.Helper()
	r := &rig{}
	r.Mailer = New(Options{
		Router: "lb1", Retry: time.Millisecond, Log: slog.New(slog.NewTextHandler(r, nil)),
		Notify: checkscript.Notify{
			Mail: &checkscript.Mail{
				Server: server, Helo: "lb1.example.org", From: "lb1@example.org", To: []string{"a@example.org", "b@example.org"},
				Timeout: patience,
			},
			Targets: []checkscript.Target{{Name: "VI_1", Mail: true}, {Name: "VI_2"}, {Name: "G", Group: true, Mail: true}},
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	r.stop = func() { cancel(); <-done }
	t.Cleanup(r.stop)
	return r
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func next(t *testing.T, sessions <-chan string) string {
	t.Helper()
	select {
	case s := <-sessions:
		return s
	case <-time.After(patience):
		t.Fatal("no mail")
	}
	return ""
}

func toMaster(name string) checkscript.News {
	return checkscript.News{Name: name, Word: checkscript.ToMaster}
}

// subject is what a session's mail is about.
func subject(session string) string {
	_, rest, _ := strings.Cut(session, "Subject: ")
	s, _, _ := strings.Cut(rest, "\n")
	return s
}

func TestSession(t *testing.T) {
	l := listen(t)
	mails := nettest.ServeMail(t, l, nil)
	r := run(t, l.Addr().String())
	r.Tell(toMaster("VI_2")) // has no smtp_alert
	r.Tell(checkscript.News{Name: "VI_1", Word: checkscript.RxLower})
	r.Tell(toMaster("VI_1"))
	r.Tell(checkscript.News{Name: "G", Group: true, Word: checkscript.ToBackup})
	got := next(t, mails)
	_, date, _ := strings.Cut(got, "Date: ")
	date, _, _ = strings.Cut(date, "\n")
	want := `EHLO lb1.example.org
MAIL FROM:<lb1@example.org>
RCPT TO:<a@example.org>
RCPT TO:<b@example.org>
DATA
Date: ` + date + `
From: lb1@example.org
Subject: [lb1] VRRP Instance VI_1 - Entering MASTER state
X-Mailer: baton
To: a@example.org, b@example.org

=> VRRP Instance is now owning VRRP VIPs <=
.
QUIT
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := subject(next(t, mails)); got != "[lb1] VRRP Group G - Entering BACKUP state" {
		t.Errorf("second mail: %s", got)
	}
	if log := r.logged(); log != "" {
		t.Errorf("logged:\n%s", log)
	}
}

// TestTriedAgain: the server refuses the first two sessions.
func TestTriedAgain(t *testing.T) {
	l := listen(t)
	var asked atomic.Int32
	mails := nettest.ServeMail(t, l, func(line string) string {
		if strings.HasPrefix(line, "MAIL") && asked.Add(1) <= 2 {
			return "451 later"
		}
		return ""
	})
	r := run(t, l.Addr().String())
	r.Tell(toMaster("VI_1"))
	for n := range 3 {
		if got, want := strings.Contains(next(t, mails), "QUIT"), n == 2; got != want {
			t.Errorf("session %d whole: %v", n, got)
		}
	}
	r.stop()
	if log := r.logged(); strings.Count(log, "is not sent yet") != 1 || strings.Contains(log, "was not sent") {
		t.Errorf("logged:\n%s", log)
	}
}

// TestGivenUp: a mail that is refused for good is told, and the next one leaves.
func TestGivenUp(t *testing.T) {
	l := listen(t)
	var asked atomic.Int32
	mails := nettest.ServeMail(t, l, func(line string) string {
		if strings.HasPrefix(line, "MAIL") && asked.Add(1) <= attempts {
			return "550 never"
		}
		return ""
	})
	r := run(t, l.Addr().String())
	r.Tell(toMaster("VI_1"))
	r.Tell(toMaster("VI_1"))
	for range attempts {
		next(t, mails)
	}
	if got := next(t, mails); !strings.Contains(got, "Entering MASTER") {
		t.Errorf("the next one: %s", got)
	}
	if log := r.logged(); !strings.Contains(log, "mail about VI_1 entering MASTER was not sent: smtp_server "+l.Addr().String()+": 550 ") {
		t.Errorf("logged:\n%s", log)
	}
}

// TestOneRefused: the others get their mail.
func TestOneRefused(t *testing.T) {
	l := listen(t)
	mails := nettest.ServeMail(t, l, func(line string) string {
		if strings.Contains(line, "<a@") {
			return "550 no such user"
		}
		return ""
	})
	r := run(t, l.Addr().String())
	r.Tell(toMaster("VI_1"))
	if got := next(t, mails); !strings.Contains(got, "Entering MASTER") {
		t.Errorf("session: %s", got)
	}
	r.stop()
	if log := r.logged(); !strings.Contains(log, "not all get mail: a@example.org: 550 ") {
		t.Errorf("logged:\n%s", log)
	}
}

// TestServerHangs: Tell waits for nobody, what does not fit is told once, and the end
// does not wait either.
func TestServerHangs(t *testing.T) {
	l := listen(t)
	defer func() { _ = l.Close() }()
	r := run(t, l.Addr().String())
	r.Tell(toMaster("VI_1"))
	c, err := l.Accept() // and not a word
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for range 2 * queueLen {
		r.Tell(toMaster("VI_1"))
	}
	r.stop()
	log := r.logged()
	for _, want := range []string{
		fmt.Sprintf("%d wait for %v already", queueLen, l.Addr()),
		fmt.Sprintf("stopping with mails that were not sent: %d", queueLen),
		"mail about VI_1 entering MASTER was not sent",
	} {
		if strings.Count(log, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, log)
		}
	}
}

func TestNobodyWantsMail(t *testing.T) {
	m := New(Options{})
	if m.Tell(toMaster("VI_1")); m != nil {
		t.Errorf("%+v", m)
	}
}
