package rules

import (
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/spec"
)

// compileTest joins an expression with its patterns. The method decides what the
// sample is made before it is compared (the table of chapter 7.1).
func compileTest(t spec.Test) Cond {
	expr, match := t.Expr, compileMatch(t)
	return func(c *sample.Ctx) bool { return expr.Any(c, match) }
}

func compileMatch(t spec.Test) func(*sample.Ctx, *sample.Sample) bool {
	sets := t.Patterns
	switch t.Match {
	case pattern.Found:
		return func(*sample.Ctx, *sample.Sample) bool { return true }
	case pattern.Bool:
		return func(c *sample.Ctx, s *sample.Sample) bool { return c.Cast(s, sample.Bool) && s.Int != 0 }
	case pattern.Int:
		return func(c *sample.Ctx, s *sample.Sample) bool {
			if !c.Cast(s, sample.Int) {
				return false
			}
			for i := range sets {
				if sets[i].Set.Int(s.Int) != nil {
					return true
				}
			}
			return false
		}
	case pattern.IP:
		return func(c *sample.Ctx, s *sample.Sample) bool {
			if !c.Cast(s, sample.Addr) {
				return false
			}
			for i := range sets {
				if sets[i].Set.Addr(s.IP.Unmap()) != nil {
					return true
				}
			}
			return false
		}
	}
	to := sample.Str
	if t.Match == pattern.Bin {
		to = sample.Bin
	}
	return func(c *sample.Ctx, s *sample.Sample) bool {
		if !c.Cast(s, to) {
			return false
		}
		for i := range sets {
			if sets[i].Set.Bytes(s.B) != nil {
				return true
			}
		}
		return false
	}
}
