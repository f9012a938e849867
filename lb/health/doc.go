// Package health says from the results of its checks whether a server is up:
// rise, fall, the interval until the next check, and the words in which HAProxy
// reports it (chapter 5.2 of the configuration manual, `check`, `inter`, `rise`).
// Package probe does the checks.
//
// A server starts up, one failure away from down. Its health counts from 0 to
// rise+fall-1 and it is up from rise on: a success that reaches rise lifts the
// health to the top, a failure that leaves it below rise drops it to 0.
//
//	health  0   1 .. rise-1   |  rise .. rise+fall-1
//	        DOWN, going up    |  UP, going down when below the top
package health
