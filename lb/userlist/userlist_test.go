package userlist

import (
	"bytes"
	"strings"
	"testing"
)

func TestHashesOfCrypt(t *testing.T) {
	for _, c := range oracle() {
		h, err := parseHash(c.hash)
		if err != nil {
			t.Fatalf("%s: %v", c.hash, err)
		}
		if !h.matches([]byte(c.password)) {
			t.Errorf("%s does not match its password of %d bytes", c.hash, len(c.password))
		}
		if len(c.password) >= bcryptLength && c.hash[1] == '2' {
			continue // it does not see the end
		}
		if h.matches([]byte(c.password + "x")) {
			t.Errorf("%s matches another password", c.hash)
		}
	}
}

func TestHashesRefused(t *testing.T) {
	sum := strings.Repeat("a", 43)
	for text, want := range map[string]string{
		"$y$j9T$abc$def":                 "43 characters",
		"$y$j9T$abc":                     "$y$SETTING$SALT$HASH",
		"$y$jFT$abc$" + sum:              "64 MiB",
		"$y$j9T3$abc$" + sum:             "j9T",
		"$y$/9T$abc$" + sum:              "j9T",
		"$y$j9T$a:c$" + sum:              "salt",
		"$gy$j9T$abc$def":                "gost-yescrypt",
		"$2b$10$abc":                     "53 characters",
		"$2b$1$abc":                      "cost",
		"$2b$32$abc":                     "cost",
		"$2b$16$abc":                     "above 15",
		"$2x$10$abc":                     "the bug of $2x$",
		"$7$abc":                         "scrypt",
		"abJnggxhB/yWI":                  "DES",
		"plain":                          "not a hash",
		"":                               "not a hash",
		"$5$":                            "without a $",
		"$5$abc":                         "without a $",
		"$5$abc$" + sum + "a":            "43 characters",
		"$5$abc$" + sum[1:] + "!":        "43 characters",
		"$5$abcdefghijklmnopq$" + sum:    "at most 16",
		"$1$abcdefghi$" + sum[:22]:       "at most 8",
		"$5$a:b$" + sum:                  "colon",
		"$5$rounds=999$abc$" + sum:       "none below 1000",
		"$5$rounds=01000$abc$" + sum:     "not a number",
		"$5$rounds=+1000$abc$" + sum:     "not a number",
		"$5$rounds=$abc$" + sum:          "not a number",
		"$6$rounds=999999999$abc$" + sum: "seconds",
		"$6$rounds=99999999999999999999$a$" + sum: "not a number",
	} {
		if _, err := Hashed(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	for _, c := range oracle() {
		f.Add(c.hash)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHash(text)
		if err == nil && h.match == nil && (h.rounds > maxRounds || len(h.salt) > 16 || !strings.HasSuffix(text, "$"+h.sum)) {
			t.Errorf("%q is %+v", text, h)
		}
	})
}

func TestCheck(t *testing.T) {
	l := New("l")
	hashed, err := Hashed("$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1")
	if err != nil {
		t.Fatal(err)
	}
	l.AddUser("hash", hashed)
	l.AddUser("plain", Plain("secret"))
	l.AddUser("none", Password{})
	if l.AddUser("plain", Plain("other")) != nil {
		t.Error("a second user of one name")
	}
	for range 2 { // the second time from memory
		for _, c := range []struct {
			user, password string
			want           bool
		}{
			{"hash", "secret", true},
			{"hash", "secret2", false},
			{"hash", "", false},
			{"hash", "secret\x00", false},
			{"hash", strings.Repeat("s", maxPassword+1), false},
			{"plain", "secret", true},
			{"plain", "other", false},
			{"plain", "", false},
			{"none", "", false},
			{"nobody", "secret", false},
			{"Plain", "secret", false},
		} {
			u := l.Check([]byte(c.user), []byte(c.password))
			if (u != nil) != c.want || u != nil && u.Name != c.user {
				t.Errorf("%s:%.20q is %v", c.user, c.password, u)
			}
		}
	}
}

// A remembered password is not hashed again, whether right or wrong; the request path
// may rely on it.
func TestRememberedCostsNothing(t *testing.T) {
	l := New("l")
	for _, c := range oracle() {
		if c.password != "secret" {
			continue
		}
		p, err := Hashed(c.hash)
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		match := p.hash.match
		if match == nil {
			h := *p.hash
			match = h.matches
		}
		p.hash.match = func(password []byte) bool {
			calls++
			return match(password)
		}
		u := l.AddUser(c.hash, p)
		name, right, wrong := []byte(u.Name), []byte("secret"), bytes.Repeat([]byte("w"), 200)
		allocs := testing.AllocsPerRun(100, func() {
			if l.Check(name, right) == nil || l.Check(name, wrong) != nil {
				t.Fatal("wrong answer")
			}
		})
		if calls != 2 || allocs != 0 {
			t.Errorf("%s: hashed %d times, want 2; %v allocations", c.hash, calls, allocs)
		}
	}
}

func BenchmarkMiss(b *testing.B) {
	for _, c := range oracle() {
		if c.password != "secret" {
			continue
		}
		h, err := parseHash(c.hash)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.hash[:10], func(b *testing.B) {
			for b.Loop() {
				h.matches([]byte(c.password))
			}
		})
	}
}

// Who asks learns whether there is something to compute, and later what came of it, also
// when others have asked meanwhile and the user remembers their passwords.
func TestAsker(t *testing.T) {
	l := New("l")
	hashed, err := Hashed("$2b$05$......................35w9tBXOiWEqF4YNx8Fn9rPUbxS7RTu")
	if err != nil {
		t.Fatal(err)
	}
	u := l.AddUser("u", hashed)
	name, right, wrong := []byte("u"), []byte("secret"), []byte("guess")
	var a, b Asker
	if a.Check(l, name, right) != nil || a.Open == nil || b.Check(l, name, wrong) != nil || b.Open == nil {
		t.Fatal("an answer before the hash was computed")
	}
	a.Open.Answer()
	a.Answered()
	b.Open.Answer()
	b.Answered()
	if l.Check(name, []byte("another guess")) != nil {
		t.Error("a wrong password is right")
	}
	if a.Check(l, name, right) != u || a.Open != nil || b.Check(l, name, wrong) != nil || b.Open != nil {
		t.Error("the answers are lost")
	}
	var c Asker
	if c.Check(l, name, right) != u || c.Open != nil {
		t.Error("the right password is not remembered")
	}
}
