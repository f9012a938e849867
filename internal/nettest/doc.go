// Package nettest gives tests network namespaces: hosts with eth0, joined by a
// bridge that lives in a namespace of its own. Everything is removed when the
// test ends, also when it fails.
//
//	sw := nettest.NewSwitch(t)
//	a := sw.Host("a", "10.0.0.1/24")
//	b := sw.Host("b", "10.0.0.2/24")
//	a.Do(func() { ... })                    // on a thread inside a
//	out := a.Output("ping", "-c1", "10.0.0.2") // a program inside a
//
// Tests skip when they do not run as root or when `ip` is missing. A namespace
// carries the test's process number in its name, so packages may test at the
// same time, and `ip netns exec` reaches it while a test runs.
package nettest
