package capability

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (e *evaluation) exec(x *Exec) {
	var allow, deny *Rule
	for _, s := range e.sections {
		allow = first(first(allow, s.findExact(x)), s.execAllow.find(x))
		deny = first(deny, s.execDeny.find(x))
	}
	e.command = allow
	e.settle(allow, deny, func() Grant {
		e.why = e.pinnedElse(x)
		grant, ok := grantExec(x)
		switch {
		case x.Writable && e.why != "":
			e.cannot(e.why)
		case !ok:
			e.cannot("there is no such program, and none could be in the project")
		}
		return grant
	})
}

// pinnedElse says that a rule would allow the command, were the program's file
// the one that it pins, and were it to stay that.
func (e *evaluation) pinnedElse(x *Exec) string {
	var rule *Rule
	for _, s := range e.sections {
		rule = first(rule, s.execAllow.pins.findStrict(x))
	}
	if rule == nil {
		return ""
	}
	if x.Writable && x.SHA256 == rule.sha256 {
		return fmt.Sprintf("%q%s pins its program, and confined commands may write to %s: keep it out of files.write and of the caches of use, or allow the command without sha256",
			rule.Text, at(rule.Pos), cmp.Or(x.Resolved, x.Program))
	}
	return fmt.Sprintf("%q%s pins sha256 %s, and the program has %s", rule.Text, at(rule.Pos), rule.sha256, cmp.Or(x.SHA256, "none that can be read"))
}

// cannot notes that no rule can allow a part of the claim.
func (e *evaluation) cannot(why string) { e.ungrantable, e.why = true, why }

func (s *section) findExact(x *Exec) *Rule {
	var found *Rule
	for _, exact := range s.exact {
		if (exact.dir == "" || exact.dir == x.Dir) && slices.Equal(exact.argv, x.Argv) {
			found = first(found, exact.rule)
		}
	}
	return found
}

func (e *evaluation) env(use EnvUse) {
	why, hazard := "", false
	if use.Use != Look {
		why, hazard = Dangerous(use.Name)
	}
	var allow, deny *Rule
	for _, s := range e.sections {
		allow = first(allow, s.pass.allow.find(use.Name, hazard))
		deny = first(deny, s.pass.deny.find(use.Name, false))
		if use.Use == Look {
			allow = first(allow, s.look.allow.find(use.Name, false))
			deny = first(deny, s.look.deny.find(use.Name, false))
		}
	}
	e.settle(allow, deny, func() Grant {
		switch {
		case use.Use == Look:
			return grantOf("env.read", use.Name)
		case hazard && strings.Contains(use.Name, "*"):
			e.cannot(use.Name + " can't be named in full, and " + why)
		case hazard:
			e.why = use.Name + " must be named in full, since " + why
		}
		return grantOf("env.pass", use.Name)
	})
}

func (e *evaluation) file(use FileUse) {
	switch use.Use {
	case Load:
		e.load(use.Path)
	case Write:
		e.part("files.write", use.Path, func(s *section) (*Rule, *Rule) {
			return s.write.allow.find(use.Path), s.write.deny.findFolded(use.Path)
		})
	default:
		e.part("files.read", use.Path, func(s *section) (*Rule, *Rule) { return s.findRead(use.Path) })
	}
}

func (s *section) findRead(file string) (allow, deny *Rule) {
	return s.read.allow.find(file), s.read.deny.findFolded(file)
}

// load is allowed by rules of its own. Where none does, what may be read may be
// loaded, and what may not be read not.
func (e *evaluation) load(file string) {
	allow, deny := e.find(func(s *section) (*Rule, *Rule) { return s.load.allow.find(file), s.load.deny.findFolded(file) })
	if allow == nil {
		read, unread := e.find(func(s *section) (*Rule, *Rule) { return s.findRead(file) })
		allow, deny = read, first(deny, unread)
	}
	e.settle(allow, deny, func() Grant { return grantOf("files.env", file) })
}

func (e *evaluation) net(use NetUse) {
	allow, deny := e.find(func(s *section) (*Rule, *Rule) {
		return s.connect.allow.find(use.Port), s.connect.deny.find(use.Port)
	})
	e.settle(allow, deny, func() Grant { return Grant{Key: "net.connect", Rule: strconv.Itoa(use.Port)} })
}

// part settles what one list of the sections says of one text.
func (e *evaluation) part(key, text string, find func(*section) (allow, deny *Rule)) {
	allow, deny := e.find(find)
	e.settle(allow, deny, func() Grant { return grantOf(key, text) })
}

// find is what the sections say together of one thing.
func (e *evaluation) find(find func(*section) (allow, deny *Rule)) (allow, deny *Rule) {
	for _, s := range e.sections {
		allowed, denied := find(s)
		allow, deny = first(allow, allowed), first(deny, denied)
	}
	return allow, deny
}
