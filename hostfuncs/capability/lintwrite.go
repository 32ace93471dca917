package capability

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// guarded are the files and directories that commands have no business to write,
// by where they are in a project: what restricts the next run, what git runs and
// goes by, what a CI system runs, and what an image is built by.
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

// writable finds rules of files.write that let commands write what is guarded.
// Rules by which commands get nothing are none of them: other patterns, and those
// that were found to have no effect.
func (c *checker) writable() {
	for _, l := range c.policy.lists {
		if l.Key != "files.write" || l.Deny {
			continue
		}
		places := append(guarded[:len(guarded):len(guarded)], dockerfilesOf(c.policy, l.Provider)...)
		for _, rule := range l.Rules {
			s, ok := subtree(rule.Text)
			if !ok || c.isIdle(rule) {
				continue
			}
			if hit := s.reaches(places); len(hit) > 0 {
				c.find(l, rule, ProtectedWrite, "allow only the directories that commands write to, such as dist/**",
					"lets commands write %s, and so what the next run may do or what others run", some(hit))
			}
		}
	}
}

// isIdle tells whether a rule was found to have no effect.
func (c *checker) isIdle(rule *Rule) bool {
	return slices.ContainsFunc(c.findings, func(f Finding) bool { return f.Name == NeverMatches && f.Pos == rule.Pos })
}

// reaches lists which of some places commands may write by a rule.
func (s Subtree) reaches(places []string) []string {
	var hit []string
	for _, place := range places {
		of, _ := subtree(place)
		if s.covers(of.Path) || of.Below && s.under(of.Path) {
			hit = append(hit, of.Path)
		}
	}
	// A rule for a file of that name means it, wherever it is.
	if name := path.Base(s.Path); len(hit) == 0 && isGuardedName(name) {
		hit = append(hit, s.Path)
	}
	return hit
}

// covers tells whether a rule has a path. On some systems the case of letters
// makes no difference.
func (s Subtree) covers(name string) bool {
	return strings.EqualFold(s.Path, name) || s.Below && (s.Path == "." || under(s.Path, name))
}

// under tells whether a rule is for something in a directory.
func (s Subtree) under(dir string) bool { return under(dir, s.Path) }

func under(dir, name string) bool {
	return len(name) > len(dir) && name[len(dir)] == '/' && strings.EqualFold(name[:len(dir)], dir)
}

func isGuardedName(name string) bool {
	return slices.ContainsFunc(guardedNames, func(n string) bool {
		return strings.EqualFold(n, name) || strings.EqualFold(path.Ext(name), ".dockerfile")
	})
}

// dockerfilesOf are the Dockerfiles in the directories that a provider may build
// from.
func dockerfilesOf(p *Policy, provider string) []string {
	var files []string
	for _, l := range p.lists {
		if l.Key != "build.contexts" || l.Deny || provider != anyProvider && l.Provider != anyProvider && l.Provider != provider {
			continue
		}
		for _, rule := range l.Rules {
			if s, ok := subtree(rule.Text); ok && s.Path != "." {
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
