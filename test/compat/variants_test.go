package compat

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// setups are lines of a frontend, each played with every request.
var setups = []string{
	"",
	" option forwardfor\n",
	" option forwardfor header X-Client if-none\n",
	" option forwardfor except 127.0.0.0/8\n",
	" option http-server-close\n",
	" option httpclose\n",
	" http-request set-header X-A \"%[req.hdr(x-b),upper] %[path] %[query]\"\n http-request add-header X-A two\n",
	" http-request del-header X-B\n http-response set-header X-R \"%[status]\"\n",
	" http-request replace-header X-B (.*)o(.*) \\2-\\1\n http-request replace-path ^/a /z\n",
	" http-request set-path /p%[path]\n http-request set-query a=%[method]\n",
	" http-request deny if { path_beg /a/ }\n http-request deny deny_status 429 if METH_POST\n",
	" http-request redirect code 301 location https://%[req.hdr(host)]%[pathq] if { path -m end /b }\n redirect prefix /new drop-query if { path_beg /c }\n",
	" http-request return status 200 content-type text/plain lf-string \"%[path,url_enc] %[urlp(q)] %[req.cook(k)]\" if { method GET }\n",
	" acl x hdr(x-b) -m sub -i O\n acl y path_reg ^/(a|b)\n http-request set-header X-Y 1 if x y\n http-request set-header X-Z 1 unless x || y\n",
	" http-request set-var(txn.v) req.hdr(x-b),length,add(1)\n http-request set-header X-V %[var(txn.v)]\n http-after-response set-header X-S %[status]\n",
	" monitor-uri /c\n",
	" http-request auth realm r if { path /c }\n",
	" http-request set-header X-H \"%[base,crc32] %[url,djb2,hex] %[req.hdr_cnt(x-b)] %[req.fhdr(x-b)]\"\n",
	" capture request header X-B len 8\n capture request header X-Client len 40\n capture response header Content-Length len 5\n capture cookie k len 10\n",
	" declare capture request len 12\n http-request capture path id 0\n http-request capture req.hdr(x-b) len 6\n",
	" tcp-request connection reject if { src 192.0.2.0/24 }\n tcp-request inspect-delay 1s\n tcp-request content reject if HTTP { path /c }\n tcp-request content accept if HTTP\n",
	" tcp-request content capture path len 7\n tcp-request content set-var(sess.v) method\n http-request set-header X-V %[var(sess.v)]\n",
	" http-request silent-drop if { path /none }\n http-request reject if { path /c }\n",
	" http-response deny if { status 200 } { capture.req.method PUT }\n http-response set-status 201 reason Made\n http-response add-header X-T %[capture.req.uri]\n",
	" http-response return status 503 content-type text/plain string \"none\" if { status 200 }\n http-after-response del-header content-type\n",
	" http-response redirect location /r?%[status]\n",
	" unique-id-format %{+X}o%ft-%rt\n http-request set-header X-M %[method,lower]-%[req.ver]\n log-tag tag\n option dontlognull\n",
	" http-request set-log-level err if { path /c }\n http-request set-log-level silent if { path / }\n",
	" option dontlog-normal\n",
	" option logasap\n",
	" option http-ignore-probes\n option dontlognull\n option nolinger\n",
	" http-request set-method POST if METH_GET\n http-request set-uri /n%[url] if { path_beg / }\n",
	" http-request replace-uri ([^?]*)(.*) /x\\1\\2\n http-request replace-value X-B o 0\n http-request replace-pathq ^/x/c /d\n",
	" errorloc302 403 /sorry\n errorloc303 429 /slow\n http-request deny if METH_HEAD\n http-request deny deny_status 429 if METH_PUT\n",
	" http-request deny deny_status 451 content-type text/plain lf-string \"no %[path] %ci\" hdr X-Why %[method] if { path_sub a }\n http-request tarpit deny_status 500 if { path /none }\n",
	" use_backend b0 if { nbsrv(b0) ge 1 }\n http-request set-header X-N \"%[nbsrv(b0)] %[fe_name] %[srv_is_up(b0/s)] %[queue(b0)]\"\n",
	" http-request set-dst-port int(1) if FALSE\n http-request set-src hdr_ip(x-forwarded-for) if { req.hdr(x-forwarded-for) -m found }\n http-request set-header X-Src %[src]\n",
	" http-request early-hint Link \"</s.css>; rel=preload\" if { path /c }\n",
	" http-request set-var(req.j) path,json,bytes(0,4)\n http-request set-header X-J \"%[var(req.j),length] %[path,field(2,/),upper] %[query,word(1,&)] %[req.cook(k),base64] %[path,sha1,hex]\"\n",
	" http-request set-header X-S \"%[http_auth_type] %[req.cook_cnt] %[urlp(q),url_dec] %[base32,hex] %[hdr_ip(x-forwarded-for,-1)]\"\n",
	" rate-limit sessions 1000\n maxconn 100\n backlog 10\n option contstats\n option socket-stats\n option tcpka\n option splice-auto\n",
	" monitor-uri /c\n monitor fail if { nbsrv(b0) lt 2 }\n",
	" option forwardfor\n option originalto\n",
	" http-request disable-l7-retry\n http-request set-nice 5\n http-request set-tos 0x10\n http-request set-priority-class int(1)\n",
	" log-format \"%[capture.req.hdr(0)] %HM %HP %HQ %HU %HV %{+Q}r %ST %ts %tsc %sc %rc %CC %hr %hrl %[var(txn.p)] %[src] %[fe_name]\"\n declare capture request len 20\n http-request capture req.hdr(x-b) id 0\n http-request set-var(txn.p) path\n",
	" log-format \"%{+X}[int(200)] %{+Q}[fe_name] %b/%s %ft %sq %bq %ac %fc %{+Q}CC %{+Q}HQ\"\n",
	" option httpslog\n",
	" option tcplog\n",
	" error-log-format \"err %ci %[fc_err]\"\n",
}

// wholeBodies are setups that look into bodies. A chunked one is not there for baton's rules,
// which see a body as it came (docs/haproxy.md).
var wholeBodies = []string{
	" http-request wait-for-body time 1s at-least 4\n http-request set-header X-L %[req.body_len]\n http-request set-header X-Body %[req.body]\n",
	" option http-buffer-request\n http-request set-header X-L \"%[req.body_len] %[req.body,hex]\"\n",
}

// requestVariants are good requests, in all combinations of their parts.
func requestVariants() []string {
	var all []string
	for _, method := range []string{"GET", "POST", "HEAD", "PUT"} {
		for _, target := range []string{"/a/b?q=1%202&r", "/c", "/", "http://a/a?q"} {
			for _, fields := range []string{"", "X-B: one, two\r\nX-B: Three\r\n", "Cookie: k=v; l=w\r\nX-Client: c\r\nX-Forwarded-For: 192.0.2.1\r\n"} {
				body := ""
				if method == "POST" {
					fields, body = fields+"Content-Length: 4\r\n", "abcd"
				}
				if method == "PUT" {
					fields, body = fields+"Transfer-Encoding: chunked\r\n", "4\r\nwiki\r\n0\r\n\r\n"
				}
				all = append(all, method+" "+target+" HTTP/1.1\r\nHost: a\r\n"+fields+"Connection: close\r\n\r\n"+body)
			}
		}
	}
	return all
}

// What clients and servers get, and what is logged, is the same for every request with every
// setup. What combined formats and lines of other logs hold: lb/log_test.go.
func TestVariants(t *testing.T) {
	for n, setup := range slices.Concat(setups, wholeBodies) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			c := newCourse(t, "", setup)
			for _, request := range requestVariants() {
				if n >= len(setups) && strings.Contains(request, "chunked") {
					continue
				}
				theirs, ours := c.theirs[0].play(request, ""), c.ours[0].play(request, "")
				for try := 0; theirs.Said == "" && len(theirs.Logged) == 0 && try < 3; try++ { // see quiet
					theirs = c.theirs[0].play(request, "")
				}
				method, _, _ := strings.Cut(request, " ")
				h, b := told(theirs.Said, method), told(ours.Said, method)
				if len(h) == 0 && len(theirs.Logged) == 0 {
					t.Errorf("%s\n%q\nhaproxy said %q", setup, request, theirs.Said)
				}
				if fmt.Sprint(h) != fmt.Sprint(b) || !slices.EqualFunc(theirs.Requests, ours.Requests, func(x, y message) bool { return x.String() == y.String() }) {
					t.Errorf("%s\n%q\nhaproxy: %v, the server got %v\n baton:  %v, the server got %v", setup, request, h, theirs.Requests, b, ours.Requests)
				}
				if !slices.Equal(theirs.Logged, ours.Logged) {
					t.Errorf("%s\n%q\nhaproxy logged %q\n baton logged  %q", setup, request, theirs.Logged, ours.Logged)
				}
			}
		})
	}
}
