package runner

import "context"

// finished is a run that is over already.
type finished struct{}

func (finished) terminate() {}
func (finished) kill()      {}

// startSelf answers for the balancer in this process.
func startSelf(serving func() bool) func(context.Context, chan<- result) run {
	return func(_ context.Context, done chan<- result) run {
		if serving != nil && serving() {
			done <- result{true, "the balancer is serving"}
		} else {
			done <- result{false, "the balancer is not serving"}
		}
		return finished{}
	}
}
