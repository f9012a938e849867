package http1

import (
	"bytes"
	"strconv"
)

// IsBuiltin reports whether AppendError has a response for status.
func IsBuiltin(status int) bool {
	phrase, _ := builtin(status)
	return phrase != ""
}

// AppendError appends the whole built-in response for status, head and body, as
// HAProxy answers when nothing else is configured; 200 is the one that a monitor-uri
// gives. It has no Connection field: whether the connection goes on is the caller's
// to say. A status that IsBuiltin does not know is a bug of the caller.
func AppendError(dst []byte, status int) []byte { return appendPage(dst, status, "\r\n") }

// AppendEarlyError is AppendError with "connection: close": the answer to a head that
// was Bad or came too late, after which nothing on the connection can be trusted.
func AppendEarlyError(dst []byte, status int) []byte {
	return appendPage(dst, status, "connection: close\r\n\r\n")
}

func appendPage(dst []byte, status int, lastFields string) []byte {
	phrase, text := builtin(status)
	if phrase == "" {
		panic("BUG: no built-in response for status " + strconv.Itoa(status))
	}
	const open, middle, end = "<html><body><h1>", "</h1>\n", "\n</body></html>\n"
	title := func(dst []byte) []byte { // "404 Not Found"
		dst = strconv.AppendInt(dst, int64(status), 10)
		dst = append(dst, ' ')
		return append(dst, phrase...)
	}
	length := len(open) + len("404 ") + len(phrase) + len(middle) + len(text) + len(end)

	dst = append(dst, "HTTP/1.1 "...)
	dst = title(dst)
	dst = append(dst, "\r\ncontent-length: "...)
	dst = strconv.AppendInt(dst, int64(length), 10)
	dst = append(dst, "\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n"...)
	dst = append(dst, lastFields...)
	dst = append(dst, open...)
	dst = title(dst)
	dst = append(dst, middle...)
	dst = append(dst, text...)
	return append(dst, end...)
}

// HeadLength returns the length of the head that msg starts with, its empty line
// included, or -1 when msg holds no complete one.
func HeadLength(msg []byte) int {
	i := bytes.Index(msg, []byte("\r\n\r\n"))
	if i < 0 {
		return -1
	}
	return i + 4
}

// StatusText returns the reason phrase of a status; those of the built-in responses
// are HAProxy's. A status that nobody has registered has "Other".
func StatusText(status int) string {
	switch status {
	case 201:
		return "Created"
	case 202:
		return "Accepted"
	case 203:
		return "Non-Authoritative Information"
	case 204:
		return "No Content"
	case 205:
		return "Reset Content"
	case 206:
		return "Partial Content"
	case 300:
		return "Multiple Choices"
	case 304:
		return "Not Modified"
	case 402:
		return "Payment Required"
	case 406:
		return "Not Acceptable"
	case 409:
		return "Conflict"
	case 411:
		return "Length Required"
	case 412:
		return "Precondition Failed"
	case 414:
		return "URI Too Long"
	case 415:
		return "Unsupported Media Type"
	case 416:
		return "Range Not Satisfiable"
	case 417:
		return "Expectation Failed"
	case 418:
		return "I'm a teapot"
	case 426:
		return "Upgrade Required"
	case 428:
		return "Precondition Required"
	case 431:
		return "Request Header Fields Too Large"
	case 451:
		return "Unavailable For Legal Reasons"
	case 505:
		return "HTTP Version Not Supported"
	case 301:
		return "Moved Permanently"
	case 302:
		return "Found"
	case 303:
		return "See Other"
	case 307:
		return "Temporary Redirect"
	case 308:
		return "Permanent Redirect"
	}
	if phrase, _ := builtin(status); phrase != "" {
		return phrase
	}
	return "Other"
}

// builtin holds the wording, measured on HAProxy 2.6: people match on these pages.
// The stray full stop of 501 is on its wire too.
func builtin(status int) (phrase, text string) {
	switch status {
	case 200:
		return "OK", "Service ready."
	case 400:
		return "Bad request", "Your browser sent an invalid request."
	case 401:
		return "Unauthorized", "You need a valid user and password to access this content."
	case 403:
		return "Forbidden", "Request forbidden by administrative rules."
	case 404:
		return "Not Found", "The resource could not be found."
	case 405:
		return "Method Not Allowed", "A request was made of a resource using a request method not supported by that resource"
	case 407:
		return "Unauthorized", "You need a valid user and password to access this content."
	case 408:
		return "Request Time-out", "Your browser didn't send a complete request in time."
	case 410:
		return "Gone", "The resource is no longer available and will not be available again."
	case 413:
		return "Payload Too Large", "The request entity exceeds the maximum allowed."
	case 421:
		return "Misdirected Request", "Request sent to a non-authoritative server."
	case 422:
		return "Unprocessable Content", "The server cannot process the contained instructions."
	case 425:
		return "Too Early", "Your browser sent early data."
	case 429:
		return "Too Many Requests", "You have sent too many requests in a given amount of time."
	case 500:
		return "Internal Server Error", "An internal server error occurred."
	case 501:
		return "Not Implemented", ".The server does not support the functionality required to fulfill the request."
	case 502:
		return "Bad Gateway", "The server returned an invalid or incomplete response."
	case 503:
		return "Service Unavailable", "No server is available to handle this request."
	case 504:
		return "Gateway Time-out", "The server didn't respond in time."
	}
	return "", ""
}
