package pair

import (
	"fmt"
	"slices"
)

// Match returns the index in list of the instance that is ours on the other node,
// or -1: the same name and VRID, or else the only one there with the VRID and
// family when ours is the only one here.
func Match(ours []Key, i int, list []Key) int {
	k := ours[i]
	if n := slices.Index(list, k); n >= 0 {
		return n
	}
	same := func(o Key) bool { return o.VRID == k.VRID && o.Family == k.Family }
	if count(ours, same) != 1 || count(list, same) != 1 {
		return -1
	}
	return slices.IndexFunc(list, same)
}

func count(list []Key, want func(Key) bool) int {
	n := 0
	for _, k := range list {
		if want(k) {
			n++
		}
	}
	return n
}

// ConfigKeys are the keys of a Hello's instances.
func (h Hello) ConfigKeys() []Key {
	keys := make([]Key, len(h.Instances))
	for i, c := range h.Instances {
		keys[i] = c.Key
	}
	return keys
}

// StateKeys are the keys of a State's instances.
func (s State) StateKeys() []Key {
	keys := make([]Key, len(s.Instances))
	for i, c := range s.Instances {
		keys[i] = c.Key
	}
	return keys
}

// Differences tells what two nodes should have alike and do not, in sentences.
func Differences(ours, theirs Hello) []string {
	var out []string
	if ours.Version != theirs.Version {
		out = append(out, fmt.Sprintf("baton %s here, %s on %s", ours.Version, theirs.Version, theirs.Node))
	}
	mine, other := ours.ConfigKeys(), theirs.ConfigKeys()
	matched := make([]bool, len(other))
	for i, c := range ours.Instances {
		n := Match(mine, i, other)
		if n < 0 {
			out = append(out, fmt.Sprintf("instance %s (VRID %d) has no counterpart on %s", c.Key.Name, c.Key.VRID, theirs.Node))
			continue
		}
		matched[n] = true
		o := theirs.Instances[n]
		name := fmt.Sprintf("instance %s", c.Key.Name)
		if o.Key.Name != c.Key.Name {
			name += fmt.Sprintf(" (%s there)", o.Key.Name)
		}
		if c.Interval != o.Interval {
			out = append(out, fmt.Sprintf("%s: advert_int is %v here, %v on %s", name, c.Interval, o.Interval, theirs.Node))
		}
		if c.Addresses != o.Addresses {
			out = append(out, fmt.Sprintf("%s: other virtual addresses on %s", name, theirs.Node))
		}
		if c.Protocol != o.Protocol {
			out = append(out, fmt.Sprintf("%s: other VRRP version or authentication on %s", name, theirs.Node))
		}
	}
	for n, k := range other {
		if !matched[n] {
			out = append(out, fmt.Sprintf("instance %s (VRID %d) of %s has no counterpart here", k.Name, k.VRID, theirs.Node))
		}
	}
	return out
}

// Views tells where two nodes see their backends otherwise.
func Views(ours, theirs []Backend, node string) []string {
	var out []string
	for _, b := range ours {
		n := slices.IndexFunc(theirs, func(o Backend) bool { return o.Name == b.Name })
		if n < 0 {
			out = append(out, fmt.Sprintf("backend %s is not on %s", b.Name, node))
			continue
		}
		o := theirs[n]
		if b.Usable != o.Usable || b.Total != o.Total {
			text := fmt.Sprintf("backend %s: %d of %d servers usable here, %d of %d on %s", b.Name, b.Usable, b.Total, o.Usable, o.Total, node)
			for _, name := range o.Down {
				if !slices.Contains(b.Down, name) {
					text += ", where " + name + " is down"
					break
				}
			}
			out = append(out, text)
		}
	}
	for _, o := range theirs {
		if !slices.ContainsFunc(ours, func(b Backend) bool { return b.Name == o.Name }) {
			out = append(out, fmt.Sprintf("backend %s of %s is not here", o.Name, node))
		}
	}
	return out
}
