package explain

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// grantsNothing finds a rule of files that grants commands nothing: they can be
// given single files and whole directories only.
func (c *checker) grantsNothing(l capability.List, rule *capability.Rule) {
	if !c.confines(l.Provider) {
		return
	}
	s, ok := capability.ParseSubtree(rule.Text)
	switch {
	case !ok:
		c.find(l, rule, capability.GrantsNothing, "write "+wholeDirectory(rule.Text)+", or the files one by one",
			"grants commands nothing: they are granted single files and whole directories only, not patterns")
	case !s.Below && (endsAsDirectory(rule.Text) || c.isDirectory != nil && c.isDirectory(s.Path)):
		c.find(l, rule, capability.GrantsNothing, "write "+path.Join(s.Path, "**"), "grants commands nothing: it is a directory, and the rule does not include what is in it")
	}
}

// confines reports whether the policy confines commands that the rules of a provider
// are for.
func (c *checker) confines(provider string) bool {
	if known, ok := c.confined[provider]; ok {
		return known
	}
	providers := []string{provider}
	if provider == anyProvider {
		providers = c.policy.Providers()
	}
	c.confined[provider] = slices.ContainsFunc(providers, func(id string) bool {
		return slices.ContainsFunc(capability.Confine([]*capability.Policy{c.policy}, id), func(c capability.Confinement) bool { return c.Commands })
	})
	return c.confined[provider]
}

// endsAsDirectory reports whether a path is written as that of a directory.
func endsAsDirectory(p string) bool {
	return p == "." || strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.")
}

// wholeDirectory is the nearest rule that grants commands all that a pattern
// matches: the directory above its first *, with all that is in it.
func wholeDirectory(pattern string) string {
	words := strings.Split(path.Clean(pattern), "/")
	first := slices.IndexFunc(words, func(w string) bool { return strings.Contains(w, "*") })
	return path.Join(append(slices.Clone(words[:first]), "**")...)
}

// readFiles are the lists that allow the same of dotenv files: those that may be
// read may be loaded, unless a rule denies them.
func readFiles(c *checker, l capability.List) []*coverIndex {
	if l.Deny || c.deniesReading(l.Provider) {
		return nil
	}
	return c.listsFor(l, "files.read", false)
}

// usedDirectories are the lists of directories that commands may read or write with
// all that is in them, and so may list.
func usedDirectories(c *checker, l capability.List) []*coverIndex {
	return slices.Concat(c.listsFor(l, "files.read", false), c.listsFor(l, "files.write", false))
}

// deniesReading reports whether a rule that can apply together with those of a
// provider, or of any where it is all of them, denies reading files.
func (c *checker) deniesReading(provider string) bool {
	if provider != anyProvider {
		lists := c.listsFor(capability.List{Provider: provider}, "files.read", true)
		return slices.ContainsFunc(lists, func(l *coverIndex) bool { return len(l.Rules) > 0 })
	}
	return slices.ContainsFunc(c.policy.Lists(), func(l capability.List) bool { return l.Key == "files.read" && l.Deny && len(l.Rules) > 0 })
}

// guarded are the files and directories that commands should not write, by their
// places in a project: those that restrict the next run, those that git runs or
// reads settings from, those that a CI system runs, and those that an image is
// built by.
var guarded = []string{
	"stagecraft.yml", "stagecraft.policy.yml", "stagecraft.lock", ".stagecraft/**",
	".git/**",
	".github/**", ".gitlab-ci.yml", ".gitlab/**", ".circleci/**", ".buildkite/**", ".forgejo/**", ".gitea/**", ".woodpecker/**",
	".woodpecker.yml", ".woodpecker.yaml", ".drone.yml", ".travis.yml", ".tekton/**", ".teamcity/**", ".semaphore/**",
	"Jenkinsfile", "azure-pipelines.yml", "bitbucket-pipelines.yml", "appveyor.yml", ".appveyor.yml", ".cirrus.yml",
	"cloudbuild.yaml", "cloudbuild.yml", "buildspec.yml",
	"Dockerfile", "Containerfile", "Dockerfile.dockerignore", ".dockerignore",
}

// guardedNames are such files in any directory.
var guardedNames = []string{"stagecraft.yml", "stagecraft.policy.yml", "stagecraft.lock", "Dockerfile", "Containerfile", ".dockerignore", "Jenkinsfile"}

// protectedWrites finds rules of files.write that let commands write what is
// guarded. Rules that grant commands nothing are left out: other patterns, and
// those without an effect.
func (c *checker) protectedWrites() {
	for _, l := range c.policy.Lists() {
		if l.Key != "files.write" || l.Deny {
			continue
		}
		places := append(guarded[:len(guarded):len(guarded)], dockerfilesOf(c.policy, l.Provider)...)
		for _, rule := range l.Rules {
			s, ok := capability.ParseSubtree(rule.Text)
			if !ok || c.idle[rule] {
				continue
			}
			if hit := reached(s, places); len(hit) > 0 {
				c.find(l, rule, capability.ProtectedWrite, "allow only the directories that commands write to, such as dist/**",
					"lets commands write %s, and so change what the next run may do or what others run", some(hit))
			}
		}
	}
}

// reached lists which of some places commands may write by a rule.
func reached(s capability.Subtree, places []string) []string {
	var hit []string
	for _, place := range places {
		if of, _ := capability.ParseSubtree(place); s.Reaches(of) {
			hit = append(hit, of.Path)
		}
	}
	// A rule for a file of that name is for it in any directory.
	if name := path.Base(s.Path); len(hit) == 0 && isGuardedName(name) {
		hit = append(hit, s.Path)
	}
	return hit
}

func isGuardedName(name string) bool {
	return slices.ContainsFunc(guardedNames, func(n string) bool {
		return strings.EqualFold(n, name) || strings.EqualFold(path.Ext(name), ".dockerfile")
	})
}

// dockerfilesOf are the Dockerfiles in the directories that a provider may build
// from.
func dockerfilesOf(p *capability.Policy, provider string) []string {
	var files []string
	for _, l := range p.Lists() {
		if l.Key != "build.contexts" || l.Deny || provider != anyProvider && !l.For(provider) {
			continue
		}
		for _, rule := range l.Rules {
			if s, ok := capability.ParseSubtree(rule.Text); ok && s.Path != "." {
				files = append(files, s.Path+"/Dockerfile", s.Path+"/Containerfile", s.Path+"/.dockerignore")
			}
		}
	}
	return files
}

// maxNamed is how many places a message names.
const maxNamed = 4

// some names a few of some places.
func some(places []string) string {
	if more := len(places) - maxNamed; more > 0 {
		return strings.Join(places[:maxNamed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(places, ", ")
}
