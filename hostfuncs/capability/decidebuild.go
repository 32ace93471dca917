package capability

import (
	"path"
	"slices"
)

func (e *evaluation) build(b *Build) {
	e.part("build.contexts", b.Context, func(s *section) (*Rule, *Rule) {
		return s.contexts.allow.find(b.Context), s.contexts.deny.findFolded(b.Context)
	})
	e.dockerfile(b)
	for _, tag := range b.Tags {
		e.part("build.tags", tag, func(s *section) (*Rule, *Rule) {
			return s.tags.allow.find(tag), s.tags.deny.findSame(tag)
		})
	}
	for _, arg := range b.Args {
		e.part("build.args", arg, func(s *section) (*Rule, *Rule) {
			return s.args.allow.find(arg, false), s.args.deny.find(arg, false)
		})
	}
	e.texts(b)
	e.digests(b)
	e.network(networks[b.Network])
	if b.Push && !slices.ContainsFunc(e.sections, func(s *section) bool { return s.push }) {
		e.lacks(Grant{Key: "build.push", Rule: "true"})
	}
}

// dockerfile is allowed in its own context, all of which is sent anyhow, and
// in any that is allowed; one from elsewhere is a file that is read.
func (e *evaluation) dockerfile(b *Build) {
	for dir := b.Dockerfile; dir != "."; {
		dir = path.Dir(dir)
		if dir == b.Context || e.allowsContext(dir) {
			return
		}
	}
	e.file(FileUse{Path: b.Dockerfile, Use: Read})
}

func (e *evaluation) allowsContext(dir string) bool {
	var allow, deny *Rule
	for _, s := range e.sections {
		allow, deny = first(allow, s.contexts.allow.find(dir)), first(deny, s.contexts.deny.findFolded(dir))
	}
	return allow != nil && deny == nil
}

func (e *evaluation) network(asked network) {
	most := networkUnset
	for _, s := range e.sections {
		most = max(most, s.network)
	}
	if most == networkUnset {
		most = networkDefault
	}
	if asked > most {
		e.lacks(Grant{Key: "build.network", Rule: asked.String()})
	}
}
