package keepalived

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"baton/checkscript"
	"baton/conf"
	"baton/internal/diag"
)

// mailDraft is what global_defs says about mail.
type mailDraft struct {
	checkscript.Mail
	alerts     *bool    // smtp_alert
	vrrpAlerts *bool    // smtp_alert_vrrp, which counts more
	wanted     diag.Pos // where somebody first asked for mail
}

// smtpPort is where an SMTP server listens.
const smtpPort = 25

// mailKeywords are those of global_defs.
func mailKeywords() []entry[globals] {
	return []entry[globals]{
		{name: "notification_email", doc: "whom to write to when something changes: addresses, for those with smtp_alert", body: true, many: true, parse: func(l *lowerer, b *conf.Block, g *globals) {
			for _, w := range l.flatten(b.Body) {
				if l.mailbox("notification_email", w) && !slices.Contains(g.mail.To, w.Text) {
					g.mail.To = append(g.mail.To, w.Text)
				}
			}
		}},
		{name: "notification_email_from", doc: "the sender of mail; by default keepalived@ and the host name", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
			if w := b.Words[1]; l.mailbox("notification_email_from", w) {
				g.mail.From = w.Text
			}
		}},
		{name: "smtp_server", doc: "where mail is handed in, without TLS or login: HOST [PORT], port 25 by default", min: 1, max: 2, parse: func(l *lowerer, b *conf.Block, g *globals) {
			host, port, ok := b.Words[1], smtpPort, true
			if len(b.Words) > 2 {
				port, ok = l.integer("smtp_server", b.Words[2], 1, 65535)
			}
			if !hostName(host.Text) {
				l.errs.Errorf(host.Pos, "", "`smtp_server`: `%s` is neither an address nor the name of a host", host.Text)
				ok = false
			}
			if ok {
				g.mail.Server = net.JoinHostPort(host.Text, strconv.Itoa(port))
			}
		}},
		{name: "smtp_helo_name", doc: "the name that baton gives itself to the server; by default the host name", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
			if w := b.Words[1]; hostName(w.Text) {
				g.mail.Helo = w.Text
			} else {
				l.errs.Errorf(w.Pos, "", "`smtp_helo_name`: `%s` is not the name of a host", w.Text)
			}
		}},
		{name: "smtp_connect_timeout", doc: "seconds to wait for a connection to the server, 30 by default", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
			if v, ok := l.seconds("smtp_connect_timeout", b.Words[1]); ok {
				g.mail.Timeout = v
			}
		}},
		{name: "no_email_faults", doc: "no mail about entering FAULT", parse: func(_ *lowerer, _ *conf.Block, g *globals) { g.mail.NoFaults = true }},
		alerts("smtp_alert", "smtp_alert for every instance and sync group that says nothing else", func(g *globals, on bool) { g.mail.alerts = &on }),
		alerts("smtp_alert_vrrp", "the same; counts more than smtp_alert", func(g *globals, on bool) { g.mail.vrrpAlerts = &on }),
	}
}

// alerts is a toggle that remembers where mail was asked for.
func alerts(name, doc string, set func(*globals, bool)) entry[globals] {
	e := toggle(name, doc, set)
	plain := e.parse
	e.parse = func(l *lowerer, b *conf.Block, g *globals) {
		plain(l, b, g)
		g.mail.wanted = b.Words[0].Pos
	}
	return e
}

// mailbox checks an address as SMTP takes it.
func (l *lowerer) mailbox(keyword string, w conf.Word) bool {
	user, host, at := strings.Cut(w.Text, "@")
	if user == "" || at && !hostName(host) || strings.ContainsAny(w.Text, "<>()[],;:\\\" \t\r\n") {
		l.errs.Errorf(w.Pos, "such as admin@example.org", "`%s`: `%s` is no mail address", keyword, w.Text)
		return false
	}
	return true
}

// hostName reports whether s can be a name, or an address, of a host.
func hostName(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789.-_:") == ""
}

// mailed reports whether an instance or a sync group has smtp_alert.
func (l *lowerer) mailed(d *instanceDraft) bool {
	m := &l.globals.mail
	for _, on := range []*bool{d.notify.mail, m.vrrpAlerts, m.alerts} {
		if on == nil {
			continue
		}
		if *on && m.wanted.Line == 0 {
			m.wanted = d.name.Pos
		}
		return *on
	}
	return false
}

// finishMail decides whether there is mail to send.
func (l *lowerer) finishMail() {
	m, targets := l.globals.mail, l.config.Notify.Targets
	if !slices.ContainsFunc(targets, func(t checkscript.Target) bool { return t.Mail }) {
		return
	}
	missing := ""
	switch {
	case m.Server == "":
		missing = "smtp_server"
	case len(m.To) == 0:
		missing = "notification_email"
	}
	if missing != "" {
		l.errs.Warnf(m.wanted, "add "+missing+" to global_defs", "`smtp_alert` has no effect: there is no %s", missing)
		for i := range targets {
			targets[i].Mail = false
		}
		return
	}
	if m.Timeout == 0 {
		m.Timeout = 30 * time.Second
	}
	l.config.Notify.Mail = &m.Mail
}
