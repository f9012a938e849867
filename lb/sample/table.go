package sample

import "slices"

// The tables, one per section of chapter 7.3.
var (
	fetches = slices.Concat(stateFetches, connFetches, sessionFetches, payloadFetches, httpFetches, responseFetches)

	converters = slices.Concat(typeConverters, mathConverters, textConverters, hashConverters, dateConverters, mapConverters, webConverters, cryptoConverters, varConverters)
)

// Keyword is a row of the tables as the support matrix shows it.
type Keyword struct{ Name, Usage, Doc string }

func findFetch(name string) (fetch, bool) {
	for _, f := range fetches {
		if f.name == name {
			return f, true
		}
	}
	return fetch{}, false
}

func findConverter(name string) (converter, bool) {
	for _, c := range converters {
		if c.name == name {
			return c, true
		}
	}
	return converter{}, false
}

// FetchNames lists the fetches that can be evaluated.
func FetchNames() []string {
	var names []string
	for _, f := range fetches {
		names = append(names, f.name)
	}
	return names
}

// ConverterNames lists the converters that can be evaluated.
func ConverterNames() []string {
	var names []string
	for _, c := range converters {
		names = append(names, c.name)
	}
	return names
}

// Fetches lists the table of fetches.
func Fetches() []Keyword {
	var all []Keyword
	for _, f := range fetches {
		all = append(all, Keyword{f.name, usageOrName(f.name, f.args, f.min) + ": " + f.out.String(), f.doc})
	}
	return all
}

// Converters lists the table of converters.
func Converters() []Keyword {
	var all []Keyword
	for _, c := range converters {
		all = append(all, Keyword{c.name, usageOrName(c.name, c.args, c.min) + ": " + c.in.String() + " to " + c.out.String(), c.doc})
	}
	return all
}

func usageOrName(name string, kinds []argKind, least int) string {
	if len(kinds) == 0 {
		return name
	}
	return usage(name, kinds, least)
}
