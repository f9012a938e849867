package pattern

import (
	"fmt"
	"net/netip"
	"strconv"
)

// Output is the type of a map's values.
type Output uint8

// The outputs. ACLs have none: their values are not looked at.
const (
	OutputNone Output = iota
	OutputStr
	OutputInt
	OutputIP
)

// Value is what a map associates with a pattern.
type Value struct {
	Text string     // as written
	Int  int64      // OutputInt
	Addr netip.Addr // OutputIP
}

// parseValue reads a value as the output wants it; no value at all is the number 0.
func parseValue(o Output, text string) (*Value, error) {
	v := &Value{Text: text}
	switch o {
	case OutputInt:
		if text == "" {
			break
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("value '%s' is not a number", text)
		}
		v.Int = n
	case OutputIP:
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return nil, fmt.Errorf("value '%s' is not an address", text)
		}
		v.Addr = a
	}
	return v, nil
}
