// Package hash holds the non-cryptographic hashes that HAProxy's configuration
// names: those of `hash-type` and the converters of the same names. They give the
// same numbers as HAProxy's, so that both choose the same server.
package hash
