package main

import "testing"

func TestParseWrk(t *testing.T) {
	const report = `Running 4s test @ http://127.0.0.1:8821/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.48ms    0.39ms  21.93ms   88.03%
  Latency Distribution
     50%    1.40ms
     75%    1.60ms
     90%    1.80ms
     99%  812.00us
  187854 requests in 8.02s, 40.31MB read
Requests/sec:  23420.20
`
	got, err := parseWrk(report)
	want := wrkResult{requests: 187854, seconds: 8.02, bytes: 40.31 * (1 << 20), p99: 0.812}
	if err != nil || got != want {
		t.Fatalf("got %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{
		"", "  Socket errors: connect 0, read 3, write 0, timeout 0\n" + report, report + "  Non-2xx or 3xx responses: 7\n",
	} {
		if _, err := parseWrk(bad); err == nil {
			t.Errorf("accepted %.60q", bad)
		}
	}
}
