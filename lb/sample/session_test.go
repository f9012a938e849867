package sample

import (
	"testing"
	"time"
)

// story is a session that has come to a certain point.
type story struct {
	f    Facts
	info TCPInfo
}

func (s *story) Tell(f *Facts) { *f = s.f }

func (s *story) TCPInfo(server bool) (TCPInfo, bool) { return s.info, !server }

func TestSessionFetches(t *testing.T) {
	x := testCtx(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	for _, e := range []string{"fc_rtt", "txn.timer.total", "so_name", "txn.sess_term_state", "str(a),when(normal)", "last_rule_line"} {
		if got := evalText(t, x, e); got != "-" {
			t.Errorf("%s without a session: %q", e, got)
		}
	}
	const ms = time.Millisecond
	s := &story{
		f: Facts{
			HTTP: true, Times: Times{TR: 1 * ms, Tw: 2 * ms, Tc: 4 * ms, Tr: -1, Th: 16 * ms, Ti: 32 * ms, Total: 64 * ms},
			Accepted: time.Unix(1700000000, 123456789), In: 100, Out: 200, Retries: 2, Number: 7, State: [2]byte{'s', 'H'}, Status: 504,
			Forwarded: true, Abnormal: true, BindID: 3, BindName: "front", RuleFile: "a.cfg", RuleLine: 12,
			ClientTimeout: 5 * ms, ServerTimeout: 6 * ms, PriorityClass: -3, PriorityOffset: -7 * ms,
		},
		info: TCPInfo{RTT: 1500 * time.Microsecond, RTTVar: 250 * time.Microsecond, Unacked: 1, Sacked: 2, Lost: 3, Retrans: 4, Fackets: 5, Reordering: 6},
	}
	x.Session, x.World = s, clock{}
	x.Backend = &Proxy{Name: "b", ID: 9, ConnectTimeout: 1 * ms, QueueTimeout: 2 * ms, TarpitTimeout: 3 * ms, CheckTimeout: 4 * ms}
	x.Frontend.ID, x.Frontend.TarpitTimeout = 8, 5*ms
	for _, c := range []struct{ expr, want string }{
		{"req.timer.hdr", "1"},
		{"req.timer.queue", "2"},
		{"bc.timer.connect", "4"},
		{"res.timer.hdr", "-1"},
		{"fc.timer.handshake", "16"},
		{"req.timer.idle", "32"},
		{"req.timer.tq", "49"},
		{"txn.timer.total", "64"},
		{"txn.timer.user", "80"},
		{"fc.timer.total", "112"},
		{"res.timer.data", "-1"}, // the response never came
		{"accept_date", "1700000000"},
		{"accept_date(ms)", "1700000000123"},
		{"accept_date(us)", "1700000000123456"},
		{"bytes_in", "100"},
		{"bytes_out", "200"},
		{"txn.conn_retries", "2"},
		{"txn.redispatched", "0"},
		{"txn.id32", "7"},
		{"txn.sess_term_state", "sH"},
		{"txn.status", "504"},
		{"bc_reused", "0"},
		{"so_id", "3"},
		{"so_name", "front"},
		{"last_rule_file", "a.cfg"},
		{"last_rule_line", "12"},
		{"fs.aborted", "0"},
		{"bs.aborted", "0"},
		{"pid", "4711"},
		{"quic_enabled", "0"},
		{"cur_client_timeout", "5"},
		{"cur_server_timeout", "6"},
		{"cur_tunnel_timeout", "0"},
		{"prio_class", "-3"},
		{"prio_offset", "-7"},
		{"fc_rtt", "1"},
		{"fc_rtt(ms)", "1"},
		{"fc_rtt(us)", "1500"},
		{"fc_rttvar(us)", "250"},
		{"bc_rtt", "-"},
		{"fc_unacked", "1"},
		{"fc_sacked", "2"},
		{"fc_lost", "3"},
		{"fc_retrans", "4"},
		{"fc_fackets", "5"},
		{"fc_reordering", "6"},
		{"be_id", "9"},
		{"fe_id", "8"},
		{"be_connect_timeout", "1"},
		{"be_queue_timeout", "2"},
		{"be_tarpit_timeout", "3"},
		{"be_check_timeout", "4"},
		{"fe_tarpit_timeout", "5"},
		{"str(a),when(error)", "a"},
		{"str(a),when(!error)", "-"},
		{"str(a),when(normal)", "-"},
		{"str(a),when(!normal)", "a"},
		{"str(a),when(forwarded)", "a"},
		{"str(a),when(processed)", "a"},
		{"str(a),when(toapplet)", "-"},
		{"str(a),when(stopping)", "a"},
	} {
		if got := evalText(t, x, c.expr); got != c.want {
			t.Errorf("%s: %q, want %q", c.expr, got, c.want)
		}
	}
	for _, bad := range []string{"fc_rtt(s)", "accept_date(h)", "str(a),when(never)", "str(a),when(acl,x)", "str(a),when"} {
		if _, err := Parse(bad, testOptions); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}
