package proxy

// termination is the two letters of the log that say who ended a session, and in
// which phase (configuration manual, chapter 8.5). The zero value is a normal end.
type termination struct{ who, phase byte }

// termination of a failed link.
func (f failure) termination() termination {
	switch f {
	case queueTimeout:
		return termination{'s', 'Q'}
	case queueFull:
		return termination{'S', 'Q'}
	case connectTimeout:
		return termination{'s', 'C'}
	case leftQueue:
		return termination{'C', 'Q'}
	case leftConnect:
		return termination{'C', 'C'}
	case clientReset:
		return termination{'C', 'D'}
	}
	return termination{'S', 'C'}
}
