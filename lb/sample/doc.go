// Package sample evaluates sample expressions (chapter 7.3 of the configuration
// manual): a fetch and a chain of converters, `req.hdr(host),lower,field(1,:)`.
//
// Parse turns the text into an Expr once, at load; every name, argument and
// conversion between types is checked there, so that evaluation knows no mistake of
// the user. Evaluation gives a typed Sample or none: a sample that cannot be had is
// absent, never an error. The tables of fetches and converters are what the support
// matrix prints.
//
// A Sample's bytes are views of the request, of the configuration or of the Ctx's
// scratch area: they are valid until the next evaluation with the same Ctx. Nothing
// is allocated, but by the few converters that say so in the table's documentation.
package sample
