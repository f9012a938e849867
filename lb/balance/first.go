package balance

import "baton/internal/mono"

// first fills one server after the other, by their numbers.
type first struct{ plan *Plan }

func (f *first) Update(p *Plan) { f.plan = p }

func (f *first) Pick(k Key, now mono.Time) (int, Result) { return f.PickExcept(k, -1, now) }

func (f *first) PickExcept(_ Key, except int, _ mono.Time) (int, Result) {
	if f.plan == nil {
		return 0, None
	}
	result := None
	for _, i := range f.plan.order {
		s := &f.plan.Slots[i]
		if !s.skips(except) {
			return s.ID, Picked
		}
		if s.ID != except {
			result = Full
		}
	}
	return 0, result
}
