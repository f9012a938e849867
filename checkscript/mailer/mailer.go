package mailer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/smtp"
	"os"
	"time"

	"baton/checkscript"
)

const (
	// queueLen bounds what waits for a server that does not answer.
	queueLen = 64

	// A change of state often comes with a network that is not whole, so a mail that
	// failed is tried again.
	attempts = 4

	// sessionTime bounds a session once it is connected: RFC 5321 allows minutes for
	// each step, but then a stuck server would hold the queue for an hour.
	sessionTime = 30 * time.Second
)

// Options make a Mailer.
type Options struct {
	Notify checkscript.Notify
	Router string // router_id
	Log    *slog.Logger
	Retry  time.Duration // between two attempts; 0: 15 s
}

// Mailer sends mail.
type Mailer struct {
	opt     Options
	mail    checkscript.Mail
	wanted  map[key]bool // whose changes are mailed
	queue   chan letter
	dropped bool // told, until there is room again
}

type key struct {
	group bool
	name  string
}

// letter is a mail that waits.
type letter struct {
	about string
	text  []byte
}

// New returns a mailer; nil when nobody wants mail.
func New(opt Options) *Mailer {
	if opt.Notify.Mail == nil {
		return nil
	}
	m := &Mailer{opt: opt, mail: *opt.Notify.Mail, wanted: map[key]bool{}, queue: make(chan letter, queueLen)}
	for _, t := range opt.Notify.Targets {
		if t.Mail {
			m.wanted[key{t.Group, t.Name}] = true
		}
	}
	if m.opt.Retry == 0 {
		m.opt.Retry = 15 * time.Second
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	if m.mail.Helo == "" {
		m.mail.Helo = host
	}
	if m.mail.From == "" {
		m.mail.From = "keepalived@" + host
	}
	return m
}

// Tell takes news. It does not wait; one goroutine may call it. A nil Mailer takes
// them, too.
func (m *Mailer) Tell(n checkscript.News) {
	if m == nil || !m.wanted[key{n.Group, n.Name}] || !m.mail.Wants(n) {
		return
	}
	l := letter{fmt.Sprintf("%s entering %s", n.Name, n.Word), m.mail.Message(n, m.opt.Router, time.Now())}
	select {
	case m.queue <- l:
		m.dropped = false
	default:
		if !m.dropped {
			m.opt.Log.Error(fmt.Sprintf("mail about %s and what follows is not sent: %d wait for %s already", l.about, queueLen, m.mail.Server))
		}
		m.dropped = true
	}
}

// Run sends what Tell takes until ctx ends.
func (m *Mailer) Run(ctx context.Context) error {
	unsent := 0
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case l := <-m.queue:
			if ctx.Err() != nil { // both were there
				unsent++
				break
			}
			m.deliver(ctx, l)
		}
	}
	if unsent += len(m.queue); unsent > 0 {
		m.opt.Log.Warn(fmt.Sprintf("stopping with mails that were not sent: %d", unsent))
	}
	return nil
}

// deliver sends a letter, if need be several times.
func (m *Mailer) deliver(ctx context.Context, l letter) {
	for n := 1; ; n++ {
		err := m.send(ctx, l.text)
		switch {
		case err == nil:
			return
		case ctx.Err() != nil || n == attempts:
			m.opt.Log.Error(fmt.Sprintf("mail about %s was not sent: %v", l.about, err))
			return
		case n == 1:
			m.opt.Log.Warn(fmt.Sprintf("mail about %s is not sent yet: %v", l.about, err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(m.opt.Retry):
		}
	}
}

// send is one session with the server.
func (m *Mailer) send(ctx context.Context, text []byte) error {
	dialer := net.Dialer{Timeout: m.mail.Timeout}
	conn, err := dialer.DialContext(ctx, "tcp", m.mail.Server)
	if err != nil {
		return fmt.Errorf("smtp_server: %w", err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(sessionTime)); err != nil {
		return fmt.Errorf("smtp_server %s: %w", m.mail.Server, err)
	}
	if err := m.speak(conn, text); err != nil {
		return fmt.Errorf("smtp_server %s: %w", m.mail.Server, err)
	}
	return nil
}

func (m *Mailer) speak(conn net.Conn, text []byte) error {
	host, _, err := net.SplitHostPort(m.mail.Server)
	if err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	if err := c.Hello(m.mail.Helo); err != nil {
		return err
	}
	if err := c.Mail(m.mail.From); err != nil {
		return err
	}
	var refused error
	taken := 0
	for _, to := range m.mail.To {
		if err := c.Rcpt(to); err != nil {
			refused = errors.Join(refused, fmt.Errorf("%s: %w", to, err))
			continue
		}
		taken++
	}
	if taken == 0 {
		return refused
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // the server has taken the mail
	if refused != nil {
		m.opt.Log.Error(fmt.Sprintf("smtp_server %s: not all get mail: %v", m.mail.Server, refused))
	}
	return nil
}
