package capability

import (
	"path"
	"strings"
)

func (e *evaluation) build(b *Build) {
	e.paths("build.contexts", b.Context, func(s *section) *list[tree, *tree] { return &s.contexts })
	e.dockerfile(b)
	for _, tag := range b.Tags {
		e.paths("build.tags", tag, func(s *section) *list[tree, *tree] { return &s.tags })
	}
	if len(b.Tags) == 0 {
		e.empty = true
	}
	for _, arg := range b.Args {
		e.names("build.args", arg, func(s *section) *list[names, *names] { return &s.args })
	}
	if b.Target != "" && e.restrictsTargets() {
		e.names("build.targets", b.Target, func(s *section) *list[names, *names] { return &s.targets })
	}
	e.network(b.Network)
	if b.Push && !e.any(func(s *section) bool { return s.push }) {
		e.lacks(Grant{Key: "build.push", Rule: "true"})
	}
}

func (e *evaluation) any(has func(*section) bool) bool {
	for _, s := range e.sections {
		if has(s) {
			return true
		}
	}
	return false
}

func (e *evaluation) paths(key, p string, of func(*section) *list[tree, *tree]) {
	var allow, deny *Rule
	for _, s := range e.sections {
		l := of(s)
		allow, deny = first(allow, l.allow.findPath(p)), first(deny, l.deny.findPath(p))
	}
	e.settle(allow, deny, func() Grant { return Grant{Key: key, Rule: quoteYAML(p)} })
}

func (e *evaluation) names(key, name string, of func(*section) *list[names, *names]) {
	var allow, deny *Rule
	for _, s := range e.sections {
		l := of(s)
		allow, deny = first(allow, l.allow.find(name, false)), first(deny, l.deny.find(name, false))
	}
	e.settle(allow, deny, func() Grant { return Grant{Key: key, Rule: quoteYAML(name)} })
}

// dockerfile is allowed where its context is, since all of that is sent
// anyhow; one from elsewhere is a file that is read.
func (e *evaluation) dockerfile(b *Build) {
	if b.Context == "." || strings.HasPrefix(path.Clean(b.Dockerfile), b.Context+"/") {
		return
	}
	e.file(FileUse{Path: b.Dockerfile, Use: Read})
}

// restrictsTargets tells whether a policy says anything of targets; one that
// doesn't allows any.
func (e *evaluation) restrictsTargets() bool {
	return len(e.sections) == 0 || e.any(func(s *section) bool { return s.targets.rules > 0 })
}

func (e *evaluation) network(name string) {
	asked, known := networks[name]
	if !known {
		e.empty = true
		return
	}
	most := networkUnset
	for _, s := range e.sections {
		most = max(most, s.network)
	}
	if most == networkUnset {
		most = networkDefault
	}
	if asked > most {
		e.lacks(Grant{Key: "build.network", Rule: name})
	}
}
