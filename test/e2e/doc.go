// Package e2e plays what happens to a pair in production: real baton processes
// with ordinary files in namespaces on one switch, real web servers, a client,
// and now and then a keepalived on the other side.
package e2e
