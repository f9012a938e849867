package haproxy

import (
	"strings"

	"baton/conf"
	"baton/lb/pattern"
	"baton/lb/spec"
)

// The rules that change maps and ACLs while traffic runs: set-map, del-map, add-acl and
// del-acl.

// listRef is a list that a rule changes, which maps and ACLs may name later.
type listRef struct {
	list *pattern.List
	file conf.Word
	used bool // a map or an ACL looks at it
}

// actionList reads `ACTION(FILE) KEY`, and a value behind that for set-map.
func actionList(action spec.Action) func(*ruleLine, *args) {
	return func(r *ruleLine, a *args) {
		r.rule.Action = action
		file, ok := a.inParentheses("a file")
		if !ok {
			return
		}
		r.rule.List = r.p.l.changedList(file)
		if a.name == "add-acl" && r.p.l.maps[file.Text] {
			a.fail(file, "write set-map("+file.Text+") KEY VALUE", "file '%s' is a map: its lines have values", file.Text)
			return
		}
		expects := "a key"
		if action == spec.ActionSetMap {
			expects = "a key and a value"
		}
		key, ok := a.need(expects)
		if !ok {
			return
		}
		r.rule.Key = a.value(r.p, key, r.at())
		if action == spec.ActionSetMap {
			r.value(a, expects)
		}
	}
}

// inParentheses returns what stands in parentheses behind the action just read.
func (a *args) inParentheses(what string) (conf.Word, bool) {
	w := a.last()
	_, text, _ := strings.Cut(w.Text, "(")
	inner, ended := strings.CutSuffix(text, ")")
	if !ended || inner == "" {
		a.fail(w, "", "'%s' expects %s in parentheses", a.name, what)
		return w, false
	}
	if !w.Quoted {
		w.Pos.Col += len(a.name) + 1
	}
	w.Text = inner
	return w, true
}

// changedList is the list of a file that a rule changes. It holds what is in the file
// once a map or an ACL names that, whichever line comes first.
func (l *lowerer) changedList(file conf.Word) *pattern.List {
	for _, known := range l.cfg.Lists {
		if known.Name == file.Text {
			return known
		}
	}
	if r := l.listRef(file.Text); r != nil {
		return r.list
	}
	r := &listRef{list: pattern.NewList(file.Text, nil), file: file}
	l.listRefs = append(l.listRefs, r)
	return r.list
}

// newList makes the list of a file that a map or an ACL names first.
func (l *lowerer) newList(file string, lines []pattern.Line) (*pattern.List, error) {
	if r := l.listRef(file); r != nil {
		return r.list, r.list.Add(0, lines...)
	}
	return pattern.NewList(file, lines), nil
}

func (l *lowerer) listRef(file string) *listRef {
	for _, r := range l.listRefs {
		if r.list.Name == file {
			return r
		}
	}
	return nil
}

// checkListRefs warns of changes that nobody would see. HAProxy takes such a rule too, and
// a list without a file.
func (l *lowerer) checkListRefs() {
	for _, r := range l.listRefs {
		if !r.used {
			l.errs.Warnf(r.file.Pos, "name the file in a map converter, or behind -f", "no map and no ACL looks at '%s', so what the rule changes has no effect", r.file.Text)
			l.cfg.Lists = append(l.cfg.Lists, r.list)
		}
	}
}
