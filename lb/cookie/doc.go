// Package cookie is the pure part of persistence by cookies: cookies found in the lines
// of clients and servers, the dates that a persistence cookie may carry (maxidle,
// maxlife), and the values that are made of a server's address (dynamic).
//
// What HAProxy 2.6 was seen to do is kept to the letter, for its cookies are in the
// browsers of those who turn a host over: test/compat compares both.
package cookie
