package haproxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"baton/internal/diag"
)

// refusal lowers a configuration and returns its findings at the given line.
func refusal(t *testing.T, input string, line int) diag.List {
	t.Helper()
	_, errs := lower(input)
	return slices.DeleteFunc(errs, func(d diag.Diag) bool { return d.Pos.Line != line })
}

// Every refused row says so, at the row's own place, and every warned one
// warns and is no error.
func TestKeywordStatuses(t *testing.T) {
	places := map[string]struct{ format, values string }{
		"section":                {"%s x%s", ""},
		"global":                 {"global\n %s%s", " x"},
		"bind":                   {"frontend f\n bind :80 %s%s", " x"},
		"server":                 {"backend b\n server s 10.0.0.1:80 %s%s", " x"},
		"balance":                {"backend b\n balance %s%s", ""},
		"tcp-request connection": {"frontend b\n tcp-request connection %s%s", " x"},
		"tcp-request session":    {"frontend b\n tcp-request session %s%s", " x"},
		"tcp-request content":    {"backend b\n tcp-request content %s%s", " x"},
		"tcp-response content":   {"backend b\n tcp-response content %s%s", " x"},
		"http-request":           {"backend b\n http-request %s%s", " x"},
		"http-after-response":    {"backend b\n http-after-response %s%s", " x"},
		"http-response":          {"backend b\n http-response %s%s", " x"},
		"resolvers":              {"resolvers r\n parse-resolv-conf\n %s%s", " x"},
		"log-profile":            {"log-profile p\n %s%s", " x"},
		"ring":                   {"ring r\n server s 10.0.0.1:514\n %s%s", " x"},
		"ring server":            {"ring r\n server s 10.0.0.1:514 %s%s", " x"},
		"http-check expect":      {"backend b\n http-check expect %s%s", " x"},
		"fetch":                  {"backend b\n acl a %s%s", "(x) y"},
		"converter":              {"backend b\n acl a str(x),%s%s", "(x) y"},
	}
	// What the warned words with checked arguments want to see.
	values := map[string]string{
		"daemon": "", "stats timeout": " 10s", "defer-accept": "", "tfo": "", "nice": " 5", "pool-low-conn": " 5",
		"fullconn": " 5", "maxqueue": " 5", "timeout tarpit": " 5s", "hold valid": " 5s", "set-nice": " 5",
	}
	for _, k := range Keywords() {
		if k.Status == Done {
			continue
		}
		if k.Doc == "" {
			t.Errorf("%s `%s` does not say what to do instead", k.Table, k.Name)
		}
		place := places[k.Table]
		if k.Table == "proxy" {
			section := strings.Fields(strings.TrimPrefix(k.In, "named "))[0]
			place.format, place.values = section+" x\n %s%s", " x"
			if strings.HasPrefix(k.Name, "option") {
				place.values = ""
			}
		}
		v, ok := values[k.Name]
		if !ok {
			v = place.values
		}
		input := fmt.Sprintf(place.format, k.Name, v)
		found := refusal(t, input, strings.Count(input, "\n")+1)
		if k.Table == "section" {
			found = refusal(t, input, 1)
		}
		if len(found) != 1 {
			t.Errorf("%s %s: %d findings, want 1: %v", k.Table, k.Name, len(found), found)
			continue
		}
		severity, msg := diag.Error, "known, not supported yet"
		if k.Status == Warned {
			severity, msg = diag.Warning, "has no effect"
			if found[0].Hint == "" {
				t.Errorf("%s %s: the warning does not say what baton does instead", k.Table, k.Name)
			}
		}
		if found[0].Severity != severity || !strings.Contains(found[0].Msg, msg) {
			t.Errorf("%s %s: %v", k.Table, k.Name, found[0])
		}
	}
}

func TestKeywordsAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for _, k := range Keywords() {
		name := k.Table + " " + k.Name
		if seen[name] {
			t.Errorf("%s stands twice", name)
		}
		seen[name] = true
		if k.Status == Done && k.Doc == "" {
			t.Errorf("%s has no line of documentation", name)
		}
		if k.Table == "proxy" && k.In == "" {
			t.Errorf("%s may stand in no section", name)
		}
	}
}

// Switching off what baton does not do is no mistake.
func TestNoBeforeRefusedOptions(t *testing.T) {
	for _, k := range proxyKeywords() {
		if !k.no || k.in&inDefaults == 0 {
			continue
		}
		if _, errs := lower("defaults\n no " + k.name + "\n"); errs.Errors() > 0 {
			t.Errorf("no %s: %v", k.name, errs)
		}
	}
}

// A name of the tables with one letter changed is corrected to itself or to
// another name, never taken for a known word.
func TestTypingMistakes(t *testing.T) {
	for _, k := range proxyKeywords() {
		first, rest, _ := strings.Cut(k.name, " ")
		if len(first) < 4 || k.in&inBackend == 0 {
			continue
		}
		_, errs := lower("backend b\n " + first[:2] + "X" + first[3:] + " " + rest)
		if len(errs) != 1 || !strings.Contains(errs[0].Msg, "unknown keyword") || !strings.Contains(errs[0].Hint, "did you mean") {
			t.Errorf("%s: %v", k.name, errs)
		}
	}
}
