// Package conf reads baton's configuration files: HAProxy sections and
// keepalived blocks, in any mixture, each word with its place.
//
// Files become a Tree: the two grammars' syntax, with environment variables and
// definitions substituted, conditional lines decided and includes spliced in, but
// with no meaning attached. conf/haproxy and conf/keepalived lower a Tree to what
// the daemon runs. Everything here is pure: files come through an fs.FS, the
// environment through a function.
package conf
