package spec

// ErrorPage is what a proxy answers instead of the built-in response for a status
// (errorfile, errorloc, http-error).
type ErrorPage struct {
	Status  int  // that the page stands for; the message's own may be another
	Builtin bool // default-errorfiles: the other side's page, or the built-in one
	// Message is the whole response, its field names in lower case and without a
	// Connection line; empty: the connection is closed without a word.
	Message string
	Reply   *Reply // instead of Message: made anew each time
	Close   bool   // the end of the connection ends the message
}

// ErrorPageOf returns the page for a status, or nil; later lines win.
func ErrorPageOf(pages []ErrorPage, status int) *ErrorPage {
	for i := len(pages) - 1; i >= 0; i-- {
		if pages[i].Status == status {
			return &pages[i]
		}
	}
	return nil
}
