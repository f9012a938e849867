// Package uri holds the normalizers of `http-request normalize-uri` (chapter 4.2 of the
// configuration manual; RFC 3986 section 6.2.2). Each does one thing, to what follows the
// authority of a request's target: path, query and, where a parser let one in, fragment.
// They allocate nothing but for queries of more than a few dozen parameters.
package uri
