package learn

import (
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// bounds are the lines that allow nothing that wasn't done: without them, a
// build could be of any stage, on any image and for any platform, and have a
// network that no build had.
func (p *provider) bounds() map[string][]capability.Grant {
	lines := make(map[string][]capability.Grant)
	networked := false
	for _, n := range p.needing {
		build := n.claim.Build
		if build == nil {
			continue
		}
		lines["build.targets"] = nil
		networked = networked || build.Network != "none"
		if build.Engine != "" {
			lines["build.bases"], lines["build.platforms"] = nil, nil
		}
	}
	if len(lines) > 0 && !networked {
		lines["build.network"] = []capability.Grant{{Key: "build.network", Rule: "none"}}
	}
	if local := p.localEngines(); len(local) > 0 {
		lines["build.engines"] = local
	} else if p.old.has(p.id, "build.engines") && len(lines) > 0 {
		lines["build.engines"] = nil
	}
	return lines
}

// localEngines are those of this machine that built, where others did as well:
// their rules would deny what needs none without them. Which of this machine's
// engines builds is otherwise not learnt, since another machine has another.
func (p *provider) localEngines() []capability.Grant {
	var local []capability.Grant
	elsewhere := false
	for _, n := range p.needing {
		build := n.claim.Build
		switch {
		case build == nil:
		case build.EngineAddress != "":
			elsewhere = true
		case build.Engine != "":
			local = append(local, capability.Grant{Key: "build.engines", Rule: build.Engine})
		}
	}
	if !elsewhere {
		return nil
	}
	return once(local)
}

// tellSources are the providers of which a build tells the images that it is
// based on, as those of earlier versions don't.
func tellSources(claims []capability.Claim) map[string]bool {
	told := make(map[string]bool)
	for _, c := range claims {
		if c.Build != nil && c.Build.Engine != "" {
			told[c.Provider] = true
		}
	}
	return told
}
