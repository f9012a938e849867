// Package haproxy lowers HAProxy's sections to the balancer's spec.
//
// Everything is driven by literal keyword tables: which word, in which sections,
// whether baton does it, and the function that reads its arguments. The tables
// also hold the words that baton knows and does not do, so that those are told
// apart from typing mistakes, and they print the support matrix (Keywords).
//
// The lines of a section are read one by one into a proxy that started as a
// copy of its defaults; what needs the whole file (backends by name, ACLs that
// later lines extend, duplicate addresses) is checked at the end. A mistake in
// one line never hides those of the next.
package haproxy
