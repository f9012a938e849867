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

// What clients and servers get is the same for every request with every setup.
func TestVariants(t *testing.T) {
	for n, setup := range setups {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			c := newCourse(t, "", setup)
			for _, request := range requestVariants() {
				theirs, ours := c.theirs[0].play(request, ""), c.ours[0].play(request, "")
				for try := 0; theirs.Said == "" && try < 3; try++ { // see quiet
					theirs = c.theirs[0].play(request, "")
				}
				method, _, _ := strings.Cut(request, " ")
				h, b := told(theirs.Said, method), told(ours.Said, method)
				if len(h) != 1 {
					t.Errorf("%s\n%q\nhaproxy said %q", setup, request, theirs.Said)
				}
				if fmt.Sprint(h) != fmt.Sprint(b) || !slices.EqualFunc(theirs.Requests, ours.Requests, func(x, y message) bool { return x.String() == y.String() }) {
					t.Errorf("%s\n%q\nhaproxy: %v, the server got %v\n baton:  %v, the server got %v", setup, request, h, theirs.Requests, b, ours.Requests)
				}
			}
		})
	}
}
