// Package pattern holds the patterns of ACLs and maps (chapters 7.1 and 7.3.1 of the
// configuration manual) and finds, in less than linear time, the one that a sample
// matches.
//
// A Set is compiled once and never changes. A List is what a file holds: a named
// list of patterns, shared by the expressions that name it, each with a View of its
// own (method, case, type of the values). A List may be changed at run time, by one
// goroutine or many; readers of its views neither wait nor see half a change.
//
// Where several patterns match, the one found is HAProxy's: the longest for
// addresses (method ip) and prefixes (beg), the first in the list for all others.
// Samples are compared as bytes; ignoring case folds ASCII letters only. Lookups
// allocate nothing.
//
// Regular expressions are Go's (RE2): what only PCRE has (lookaround, references
// back, possessive and atomic groups) is refused by name. They see UTF-8, so that `.`
// is a character and not a byte.
package pattern
