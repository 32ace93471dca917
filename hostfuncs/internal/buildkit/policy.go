package buildkit

import (
	"path"
	"strings"

	spb "github.com/moby/buildkit/sourcepolicy/pb"
	"github.com/moby/buildkit/util/gitutil"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// sourcePolicy lets the builder itself enforce what was decided on: no other
// image, and no other source. Of several rules that match, the
// last counts. Builders before version 0.11, and so engines before 24.0, take no
// notice of it.
func sourcePolicy(what image.Build) *spb.Policy {
	if what.Bases == nil {
		return nil
	}
	deny := func(identifier string) *spb.Rule {
		return &spb.Rule{Action: spb.PolicyAction_DENY, Selector: &spb.Selector{Identifier: identifier}}
	}
	p := &spb.Policy{Version: 1, Rules: []*spb.Rule{deny("docker-image://*"), deny("http://*"), deny("https://*"), deny("git://*")}}
	for _, remote := range what.Remotes {
		allow(p, spb.MatchType_EXACT, remote)
		if repository := repositoryOf(remote); repository != "" {
			allow(p, spb.MatchType_EXACT, repository)
			allow(p, spb.MatchType_WILDCARD, repository+"#*")
		}
	}
	images := what.Bases
	if what.Syntax != "" {
		images = append(images[:len(images):len(images)], what.Syntax)
	}
	for _, ref := range images {
		allow(p, spb.MatchType_EXACT, "docker-image://"+ref)
		if !strings.Contains(ref, "@") {
			// The builder looks its digest up, and asks again.
			allow(p, spb.MatchType_WILDCARD, "docker-image://"+ref+"@sha256:*")
		}
	}
	// An image may trigger an ADD of an allowed repository, which is unknown when
	// the build is decided on.
	above := deny(aboveRepository)
	above.Selector.MatchType = spb.MatchType_REGEX
	p.Rules = append(p.Rules, above)
	return p
}

// aboveRepository is a subdirectory with .. in it: git://host/path#ref:directory.
const aboveRepository = `^git://[^#]*#(?:.*[/\\:])?\.\.(?:[/\\:]|$)`

// repositoryOf is a repository as BuildKit names it, by whatever protocol it is
// fetched; empty for anything else, and for one that would be a pattern.
func repositoryOf(remote string) string {
	at, err := gitutil.ParseURL(remote)
	if err != nil || strings.ContainsAny(at.Host+at.Path, "*?") {
		return ""
	}
	return "git://" + at.Host + path.Join("/", at.Path)
}

func allow(p *spb.Policy, match spb.MatchType, identifier string) {
	p.Rules = append(p.Rules, &spb.Rule{
		Action:   spb.PolicyAction_ALLOW,
		Selector: &spb.Selector{Identifier: identifier, MatchType: match},
	})
}
