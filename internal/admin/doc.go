// Package admin is the way in for operators: a unix socket that speaks HTTP and
// JSON. Socket is the daemon's end, Fetch that of `baton status`. The types of the
// answer stand here and not with the packages that they describe, because they
// are read by people's scripts: a field is added, never renamed.
package admin
