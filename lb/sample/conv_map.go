package sample

import (
	"fmt"
	"strconv"

	"baton/lb/pattern"
)

// mapConverters look the input up in a map file (chapter 7.3.1, map): map_METHOD and
// map_METHOD_OUTPUT for every method and output.
var mapConverters = mapRows()

func mapRows() []converter {
	rows := []converter{
		mapRow("map", pattern.Str, pattern.OutputStr),
		{"map_regm", []argKind{argMap, argStr}, 1, Str, Str, runMapExpand, checkMap(pattern.Reg, pattern.OutputStr), "value of the regular expression that the input matches in a file, with its groups; allocates"},
	}
	for _, m := range []pattern.Method{pattern.Beg, pattern.Dir, pattern.Dom, pattern.End, pattern.Int, pattern.IP, pattern.Reg, pattern.Str, pattern.Sub} {
		rows = append(rows,
			mapRow("map_"+m.String(), m, pattern.OutputStr),
			mapRow("map_"+m.String()+"_int", m, pattern.OutputInt),
			mapRow("map_"+m.String()+"_ip", m, pattern.OutputIP))
	}
	return rows
}

func mapRow(name string, m pattern.Method, out pattern.Output) converter {
	in, o := Str, Str
	switch m {
	case pattern.Int:
		in = Int
	case pattern.IP:
		in = Addr
	}
	switch out {
	case pattern.OutputInt:
		o = Int
	case pattern.OutputIP:
		o = Addr
	}
	return converter{name, []argKind{argMap, argStr}, 1, in, o, runMap, checkMap(m, out), fmt.Sprintf("value of the input in a map file, found by method %s; or a default", m)}
}

// mapping is what checkMap makes of a map's arguments.
type mapping struct {
	view     *pattern.View
	fallback pattern.Value
}

// checkMap compiles the list that the parser has put into a[0].
func checkMap(m pattern.Method, out pattern.Output) func([]Arg) string {
	return func(a []Arg) string {
		view, err := a[0].Aux.(*pattern.List).View(pattern.Options{Method: m, Output: out})
		if err != nil {
			return "file '" + a[0].Str + "': " + err.Error()
		}
		x := mapping{view: view, fallback: pattern.Value{Text: a[1].Str}}
		if a[1].Given {
			switch out {
			case pattern.OutputInt:
				if x.fallback.Int, err = strconv.ParseInt(a[1].Str, 10, 64); err != nil {
					return "the default '" + a[1].Str + "' is not a number"
				}
			case pattern.OutputIP:
				var ok bool
				if x.fallback.Addr, ok = ParseAddr(a[1].B); !ok {
					return "the default '" + a[1].Str + "' is not an address"
				}
			}
		}
		a[0].Aux = x
		return ""
	}
}

func (x *mapping) find(s *Sample) *pattern.Entry {
	switch x.view.Options().Method {
	case pattern.Int:
		return x.view.Int(s.Int)
	case pattern.IP:
		return x.view.Addr(s.IP.Unmap())
	}
	return x.view.Bytes(s.B)
}

func runMap(_ *Ctx, a []Arg, s *Sample) bool {
	x := a[0].Aux.(mapping)
	value := &x.fallback
	if e := x.find(s); e != nil {
		value = e.Value()
	} else if !a[1].Given {
		return false
	}
	switch x.view.Options().Output {
	case pattern.OutputInt:
		return s.setInt(value.Int)
	case pattern.OutputIP:
		return s.setIP(value.Addr)
	}
	return s.setStr(bytesOf(value.Text))
}

func runMapExpand(c *Ctx, a []Arg, s *Sample) bool {
	x := a[0].Aux.(mapping)
	e := x.find(s)
	if e == nil {
		return a[1].Given && s.setStr(a[1].B)
	}
	out := e.AppendExpanded(c.room(), s.B)
	return len(out) <= scratchSize && s.setStr(out)
}
