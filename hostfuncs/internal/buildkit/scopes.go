package buildkit

import (
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

// Access is what a build may do with a repository.
type Access struct {
	Host       string // as [registry.Canonical] has it
	Repository string // without the host
	Push       bool   // it may be read in any case
}

// AccessTo is to the repository of an image's reference.
func AccessTo(ref string, push bool) (Access, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return Access{}, err
	}
	return Access{Host: registry.Canonical(reference.Domain(named)), Repository: reference.Path(named), Push: push}, nil
}

// scopes are those of what a builder asks a token for that the build needs, by
// https://distribution.github.io/distribution/spec/auth/scope/. A registry's
// credentials are often good for all that its user has there.
func (a *authServer) scopes(host string, asked []string) []string {
	var granted []string
	for _, list := range asked {
		for scope := range strings.FieldsSeq(list) {
			if actions := a.actions(host, scope); actions != "" {
				granted = append(granted, actions)
			}
		}
	}
	return granted
}

// actions is a scope with the actions that are left of it; empty for none.
func (a *authServer) actions(host, scope string) string {
	name, wanted, ok := cutLast(scope, ":")
	repository, is := strings.CutPrefix(name, "repository:")
	if !ok || !is {
		return ""
	}
	var left []string
	for action := range strings.SplitSeq(wanted, ",") {
		if slices.ContainsFunc(a.access, func(of Access) bool {
			return of.Host == host && of.Repository == repository && (action == "pull" || action == "push" && of.Push)
		}) {
			left = append(left, action)
		}
	}
	if left == nil {
		return ""
	}
	return name + ":" + strings.Join(left, ",")
}

func cutLast(text, separator string) (before, after string, ok bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}
