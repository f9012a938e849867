// Package conf reads baton's configuration files: HAProxy sections and
// keepalived blocks, in any mixture, each word with its place.
//
// Files become a Tree: the two grammars' syntax, with environment variables and
// definitions substituted, conditional lines decided and includes spliced in, but
// with no meaning attached. conf/haproxy and conf/keepalived lower a Tree to what
// the daemon runs. Everything here is pure: files come through an fs.FS, the
// environment through a function.
//
// Whose a line is, its first word says. A section of HAProxy's lasts until the
// next word that begins a section or a block of either language, or the end of
// the file; a block of keepalived's lasts until its closing brace. Inside a
// section lines are lexed as chapter 2 of HAProxy's configuration manual has it,
// elsewhere as keepalived.conf(5). Two of keepalived's devices work everywhere,
// so that two nodes can share a file: `@node` before a line, and include, which
// ends the section it stands behind.
package conf
