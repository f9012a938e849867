// Package balance chooses a server for a request or connection: one file per
// algorithm of the `balance` keyword.
//
// A Picker belongs to one event loop and needs no lock; what loops share is each
// server's Load, which is atomic. Only servers that may get new traffic are in a
// picker's slots: NewPlan makes that list whenever a server changes state, and
// every loop hands it to its pickers with Update. Pick allocates nothing.
package balance
