// Package mailer sends mail about instances and sync groups that change their state
// (keepalived.conf, smtp_alert).
//
// Tell never waits: a bounded queue and one goroutine stand between it and the SMTP
// server. What does not fit, and what the server does not take after some attempts, is
// logged and lost. Mails leave in the order of the changes, over plain SMTP as
// keepalived speaks it, without TLS and without login: the server should be a relay
// nearby.
package mailer
