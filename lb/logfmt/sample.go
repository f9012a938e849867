package logfmt

import "baton/lb/sample"

// SampleExpr makes a sample expression one of a format's. It looks at Record.Sample.
func SampleExpr(e *sample.Expr) Expr { return sampled{e} }

type sampled struct{ expr *sample.Expr }

func (e sampled) Eval(r *Record) (Value, bool) {
	if r.Sample == nil {
		return Value{}, false
	}
	s, ok := e.expr.Eval(r.Sample)
	if !ok {
		return Value{}, false
	}
	switch s.Type {
	case sample.Int:
		return Value{Kind: Number, Int: s.Int}, true
	case sample.Bool:
		return Value{Kind: Boolean, Int: s.Int}, true
	case sample.Bin:
		return Value{Kind: Binary, Bytes: s.B}, true
	}
	return Value{Kind: Text, Bytes: r.Sample.AsText(s)}, true
}
