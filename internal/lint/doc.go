// Package lint holds the laws of this repository as tests: which package may
// import which, what a pure package must not do, where system calls live. `make
// lint` and `go test ./internal/lint` check them; the reasons stand in
// ARCHITECTURE.md.
//
// A law is a function from the parsed module to the problems in it. Nothing is
// type-checked against real imports, so the whole module takes well under a
// second. Each law has a sample under testdata that breaks it, with the
// problems that it must then report.
package lint
