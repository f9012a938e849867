package sample

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
)

func TestForwarded(t *testing.T) {
	const header = `for=192.0.2.43;proto=https;host="haproxy.org:80", for="[2001:db8::17]:4711"`
	for _, c := range []struct{ value, conv, want string }{
		{header, "rfc7239_is_valid", "1"},
		{header, "rfc7239_field(host)", "haproxy.org:80"},
		{header, "rfc7239_field(for)", "192.0.2.43"},
		{header, "rfc7239_field(by)", "-"},
		{`By=_hidden`, "rfc7239_field(by)", "_hidden"},
		{`for="127.0.0.1:9999"`, "rfc7239_field(for),rfc7239_n2nn", "127.0.0.1"},
		{`for="127.0.0.1:9999"`, "rfc7239_field(for),rfc7239_n2np", "9999"},
		{`for="[2001:db8::17]:4711"`, "rfc7239_field(for),rfc7239_n2nn", "2001:db8::17"},
		{`for="[2001:db8::17]"`, "rfc7239_field(for),rfc7239_n2np", "-"},
		{`_name:_port`, "rfc7239_n2nn", "_name"},
		{`_name:_port`, "rfc7239_n2np", "_port"},
		{`unknown`, "rfc7239_n2nn", "unknown"},
		{`name`, "rfc7239_n2nn", "-"},
		{`for=192.0.2.43;for=192.0.2.44`, "rfc7239_is_valid", "0"},
		{`for=192.0.2.43:80`, "rfc7239_is_valid", "0"}, // needs quotes
		{`for="192.0.2.300"`, "rfc7239_is_valid", "0"},
		{`for="192.0.2.30:70000"`, "rfc7239_is_valid", "0"},
		{`for=`, "rfc7239_is_valid", "0"},
		{`192.0.2.43`, "rfc7239_is_valid", "0"},
		{``, "rfc7239_is_valid", "0"},
	} {
		x := testCtx(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		x.Vars[ScopeTxn].Set("v", &Sample{Type: Str, B: []byte(c.value)})
		if got := evalText(t, x, "var(txn.v),"+c.conv); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.conv, c.value, got, c.want)
		}
	}
}

func TestEncryption(t *testing.T) {
	x := testCtx(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	const args = "(128,8PHy8/T19vf4+fr7,AQIDBAUGBwgJCgsMDQ4PEA==,txn.tag)"
	if got := evalText(t, x, "str(secret),aes_gcm_enc"+args+",set-var(txn.enc),length"); got != "6" {
		t.Fatal(got)
	}
	if got := evalText(t, x, "var(txn.enc),aes_gcm_dec"+args); got != "secret" {
		t.Errorf("deciphered: %s", got)
	}
	x.Vars[ScopeTxn].Set("tag", &Sample{Type: Str, B: []byte("AAAAAAAAAAAAAAAAAAAAAA==")})
	if got := evalText(t, x, "var(txn.enc),aes_gcm_dec"+args); got != "-" {
		t.Errorf("with a false tag: %s", got)
	}
}

func publicPEM(t *testing.T, key any) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func TestTokens(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"ec.pem": publicPEM(t, &ec.PublicKey), "rsa.pem": publicPEM(t, &rs.PublicKey), "bad.pem": "nothing"}
	o := Options{File: func(name string) (string, error) {
		if text, ok := files[name]; ok {
			return text, nil
		}
		return "", errors.New("no such file")
	}}
	b64 := base64.RawURLEncoding.EncodeToString
	token := func(alg string, sign func(sum []byte) []byte) string {
		signed := b64([]byte(`{"alg":"`+alg+`"}`)) + "." + b64([]byte(`{"sub":"me","n":7}`))
		sum := sha256.Sum256([]byte(signed))
		return signed + "." + b64(sign(sum[:]))
	}
	byEC := token("ES256", func(sum []byte) []byte {
		r, s, err := ecdsa.Sign(rand.Reader, ec, sum)
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	})
	byRSA := token("RS256", func(sum []byte) []byte {
		sig, err := rsa.SignPKCS1v15(rand.Reader, rs, crypto.SHA256, sum)
		if err != nil {
			t.Fatal(err)
		}
		return sig
	})
	for _, c := range []struct{ token, conv, want string }{
		{byEC, "jwt_header_query", `{"alg":"ES256"}`},
		{byEC, `jwt_payload_query($.sub)`, "me"},
		{byEC, `jwt_payload_query($.n,int),add(1)`, "8"},
		{byEC, `jwt_payload_query($.none)`, "-"},
		{byEC, "jwt_verify(ES256,ec.pem)", "1"},
		{byEC, "jwt_verify(txn.alg,ec.pem)", "1"},
		{byEC, "jwt_verify(ES384,ec.pem)", "0"},
		{byEC, "jwt_verify(RS256,ec.pem)", "0"},
		{byEC, "jwt_verify(ES256,rsa.pem)", "0"},
		{byRSA, "jwt_verify(RS256,rsa.pem)", "1"},
		{byRSA, "jwt_verify(RS512,rsa.pem)", "0"},
		{strings.Replace(byRSA, ".", ".e30", 1), "jwt_verify(RS256,rsa.pem)", "0"},
		{byRSA, "jwt_verify(txn.none,rsa.pem)", "-1"},
		{byEC, "jwt_verify(txn.alg,nowhere.pem)", "-5"},
		{"a.b", "jwt_payload_query", "-"},
	} {
		x := testCtx(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		x.Vars[ScopeTxn].Set("t", &Sample{Type: Str, B: []byte(c.token)})
		x.Vars[ScopeTxn].Set("alg", &Sample{Type: Str, B: []byte("ES256")})
		e, bad := Parse("var(txn.t),"+c.conv, o)
		if bad != nil {
			t.Errorf("%s: %s", c.conv, bad.Msg)
			continue
		}
		got := "-"
		if s, ok := e.Eval(x); ok {
			got = string(x.AsText(s))
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.conv, got, c.want)
		}
	}
	for _, conv := range []string{"jwt_verify(RS256,bad.pem)", "jwt_verify(ES256,nowhere.pem)", "jwt_verify(PS256,rsa.pem)", "jwt_verify(HS256)"} {
		if _, bad := Parse("var(txn.t),"+conv, o); bad == nil {
			t.Errorf("%s is accepted", conv)
		}
	}
}

// FuzzJSON: whatever the text is, looking for a value ends and stays inside it.
func FuzzJSON(f *testing.F) {
	f.Add(`{"a":{"b":[1,2,{"c":"\u00e9\ud83d\ude00"}]}}`, "$.a.b[2].c")
	f.Add(`[[[`, "$[0]")
	f.Fuzz(func(t *testing.T, text, path string) {
		steps, problem := parseJSONPath(path)
		if problem != "" {
			return
		}
		v, ok := jsonFind([]byte(text), steps)
		if ok && !strings.Contains(text, string(v)) {
			t.Errorf("%q in %q: %q", path, text, v)
		}
		var c Ctx
		c.jsonValue(&c.s, v, false)
	})
}
