package sample

import "math"

// mathConverters compute with integers. Results saturate: nothing wraps around.
var mathConverters = []converter{
	{"add", []argKind{argIntVar}, 1, Int, Int, arithmetic(add), nil, "add a number or variable"},
	{"and", []argKind{argIntVar}, 1, Int, Int, arithmetic(func(a, b int64) int64 { return a & b }), nil, "bitwise and"},
	{"bool", nil, 0, Int, Bool, func(_ *Ctx, _ []Arg, s *Sample) bool { return s.setBool(s.Int != 0) }, nil, "true unless 0"},
	{"cpl", nil, 0, Int, Int, func(_ *Ctx, _ []Arg, s *Sample) bool { return s.setInt(^s.Int) }, nil, "bitwise complement"},
	{"div", []argKind{argIntVar}, 1, Int, Int, arithmetic(div), nil, "divide; by 0 gives the greatest number"},
	{"even", nil, 0, Int, Bool, func(_ *Ctx, _ []Arg, s *Sample) bool { return s.setBool(s.Int&1 == 0) }, nil, "the number is even"},
	{"mod", []argKind{argIntVar}, 1, Int, Int, arithmetic(mod), nil, "remainder; of a division by 0 it is 0"},
	{"mul", []argKind{argIntVar}, 1, Int, Int, arithmetic(mul), nil, "multiply"},
	{"neg", nil, 0, Int, Int, func(_ *Ctx, _ []Arg, s *Sample) bool { return s.setInt(-max(s.Int, -math.MaxInt64)) }, nil, "opposite number"},
	{"not", nil, 0, Int, Bool, func(_ *Ctx, _ []Arg, s *Sample) bool { return s.setBool(s.Int == 0) }, nil, "true if 0"},
	{"odd", nil, 0, Int, Bool, func(_ *Ctx, _ []Arg, s *Sample) bool { return s.setBool(s.Int&1 == 1) }, nil, "the number is odd"},
	{"or", []argKind{argIntVar}, 1, Int, Int, arithmetic(func(a, b int64) int64 { return a | b }), nil, "bitwise or"},
	{"sub", []argKind{argIntVar}, 1, Int, Int, arithmetic(func(a, b int64) int64 { return add(a, -max(b, -math.MaxInt64)) }), nil, "subtract a number or variable"},
	{"xor", []argKind{argIntVar}, 1, Int, Int, arithmetic(func(a, b int64) int64 { return a ^ b }), nil, "bitwise exclusive or"},
}

func arithmetic(f func(a, b int64) int64) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		n, ok := c.number(&a[0])
		return ok && s.setInt(f(s.Int, n))
	}
}

// number is an argument's value or that of the variable it names.
func (c *Ctx) number(a *Arg) (int64, bool) {
	if a.Var.Name == "" {
		return a.Int, true
	}
	v, ok := c.Var(a.Var)
	return v.Int, ok && v.toInt()
}

func add(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

func mul(a, b int64) int64 {
	if a == 0 || b == 0 {
		return 0
	}
	p := a * b
	if p/b == a && !(a == -1 && b == math.MinInt64) && !(b == -1 && a == math.MinInt64) {
		return p
	}
	if a < 0 == (b < 0) {
		return math.MaxInt64
	}
	return math.MinInt64
}

func div(a, b int64) int64 {
	switch {
	case b == 0 && a < 0, b == -1 && a == math.MinInt64:
		if b == 0 {
			return math.MinInt64
		}
		return math.MaxInt64
	case b == 0:
		return math.MaxInt64
	}
	return a / b
}

func mod(a, b int64) int64 {
	if b == 0 || b == -1 {
		return 0
	}
	return a % b
}
