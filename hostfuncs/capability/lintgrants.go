package capability

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// grants finds a rule of files that grants commands nothing: the kernel is told
// of single files, and of whole directories.
func (c *checker) grants(l List, rule *Rule) {
	if l.Key != "files.read" && l.Key != "files.write" || !c.confines(l.Provider) {
		return
	}
	s, ok := subtree(rule.Text)
	switch {
	case !ok:
		c.find(l, rule, GrantsNothing, "write "+wholeDirectory(rule.Text)+", or the files one by one",
			"grants commands nothing: they are granted single files and whole directories only, not patterns")
	case !s.Below && (endsAsDirectory(rule.Text) || c.isDirectory != nil && c.isDirectory(s.Path)):
		c.find(l, rule, GrantsNothing, "write "+path.Join(s.Path, deep), "grants commands nothing: it is a directory, and the rule is not for what is in it")
	}
}

// confines tells whether the policy confines commands for which the rules of a
// provider hold.
func (c *checker) confines(provider string) bool {
	if known, ok := c.confined[provider]; ok {
		return known
	}
	providers := []string{provider}
	if provider == anyProvider {
		providers = slices.Collect(maps.Keys(c.policy.sections))
	}
	c.confined[provider] = slices.ContainsFunc(providers, func(id string) bool {
		return slices.ContainsFunc(Confine([]*Policy{c.policy}, id), func(c Confinement) bool { return c.Commands })
	})
	return c.confined[provider]
}

// endsAsDirectory tells whether a path says of itself that it is a directory.
func endsAsDirectory(p string) bool {
	return p == "." || strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.")
}

// wholeDirectory is the nearest rule that grants commands what a pattern means,
// and more: the directory above its first *, with all that is in it.
func wholeDirectory(pattern string) string {
	words := pathWords(path.Clean(pattern))
	first := slices.IndexFunc(words, func(w string) bool { return strings.Contains(w, "*") })
	return path.Join(append(slices.Clone(words[:first]), deep)...)
}

// machine finds what hands the machine over, whatever else the policy says.
func (c *checker) machine(l List) {
	for _, rule := range l.Rules {
		switch l.Key + " " + rule.Text {
		case "sockets docker":
			c.find(l, rule, DockerSocket, "build images by build.contexts instead, which needs no socket",
				"lets commands start containers with any directory and device of this machine, which is root's right on most")
		case "build.network host":
			c.find(l, rule, HostNetwork, "use default or none", "lets the steps of a build reach what listens on the loopback of the machine that builds")
		}
	}
}
