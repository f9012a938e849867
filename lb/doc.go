// Package lb is the balancer: it builds the proxies of a spec.Config, opens their
// listeners, runs the event loops and the health checks, and reports their state.
//
// The order is New, Listen, Run; then StopListening and Drain end the service
// without cutting anybody off. What a session does is in lb/proxy, how a loop
// turns in lb/engine.
package lb
