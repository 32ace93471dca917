package capability

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Require is what a policy requires of a run as a whole, before any call.
type Require struct {
	// Lock requires every provider that is not built in to be in the project's
	// lock file, and that a run adds nothing to that file.
	Lock bool
	// Confine requires the commands of providers to be confined: require,
	// best-effort or off; empty is off.
	Confine Mode
	// Digests are the modules, by their SHA-256 in hex, that a provider may
	// have, by its ID; one without an entry may have any.
	Digests map[string][]string

	lockPos, confinePos yamldoc.Pos
	digestPos           map[string]yamldoc.Pos
}

func (r *reader) require(n *yamldoc.Node, into *Require) {
	r.mapping(n, "a mapping", map[string]func(*yamldoc.Node){
		"lock": func(n *yamldoc.Node) {
			into.Lock, into.lockPos = r.isTrue(n), n.Pos()
		},
		"confine": func(n *yamldoc.Node) {
			into.Confine, into.confinePos = Mode(r.oneOf(n, modes)), n.Pos()
		},
		"digests": func(n *yamldoc.Node) { r.digests(n, into) },
	})
}

func (r *reader) digests(n *yamldoc.Node, into *Require) {
	if n.Kind() != yamldoc.KindMap {
		r.problems.Expected(n, "a mapping of provider IDs to the SHA-256 of a module, or a list of them")
		return
	}
	into.Digests, into.digestPos = make(map[string][]string), make(map[string]yamldoc.Pos)
	for _, e := range n.Entries() {
		if !isProviderID(e.Key) {
			r.problems.Add(e.KeyPos, n.Field(), fmt.Sprintf("%q is not a provider ID", e.Key), "")
			continue
		}
		items := []*yamldoc.Node{e.Value}
		if e.Value.Kind() == yamldoc.KindList {
			items = e.Value.Items()
		}
		// An empty list allows no module.
		digests := []string{}
		for _, item := range items {
			digests = append(digests, r.digest(item))
		}
		into.Digests[e.Key], into.digestPos[e.Key] = digests, e.KeyPos
	}
}

// digest reads a SHA-256 in hex, with or without "sha256:" before it.
func (r *reader) digest(n *yamldoc.Node) string {
	text := strings.TrimPrefix(n.Text(), "sha256:")
	if n.Kind() == yamldoc.KindMap || n.Kind() == yamldoc.KindList || !isHex(text) {
		r.problems.Wrong(n, fmt.Sprintf("%q is not a SHA-256 digest", n.Text()), "write its 64 digits, as sha256sum prints them")
	}
	return text
}

// Run is a module that would run, and how, for [Admit].
type Run struct {
	Provider string
	// SHA256 is the module's, in hex.
	SHA256  string
	BuiltIn bool
	// Locked reports whether the lock file has the module.
	Locked bool
	// Unenforced is what this system cannot enforce of all that policies require of
	// commands, a line each.
	Unenforced []string
}

// Refusal says which requirement a run does not meet.
type Refusal struct {
	Layer   Layer
	Policy  string
	Pos     yamldoc.Pos
	Message string
	Hint    string
}

const (
	cannot     = "this system cannot confine commands as the policy requires: "
	bestEffort = "allow less instead, or write confine: best-effort, which enforces as much as the system can, or confine: off"
)

// Admit lists the requirements that a run does not meet; none where it may begin.
func Admit(policies []*Policy, run Run) []Refusal {
	var refusals []Refusal
	for _, p := range policies {
		refusals = append(append(refusals, p.refuseModule(run)...), p.refuseCommands(policies, run)...)
	}
	return refusals
}

// AdmitModule is the part of [Admit] about the module alone, for a caller that
// loads it and runs no commands.
func AdmitModule(policies []*Policy, run Run) []Refusal {
	var refusals []Refusal
	for _, p := range policies {
		refusals = append(refusals, p.refuseModule(run)...)
	}
	return refusals
}

// refuseModule says which module the policy does not let be loaded.
func (p *Policy) refuseModule(run Run) []Refusal {
	var refusals []Refusal
	if p.Require.Lock && !run.BuiltIn && !run.Locked {
		refusals = append(refusals, p.refusal(p.Require.lockPos, fmt.Sprintf("provider %s must be in stagecraft.lock", run.Provider),
			"review it and run: stagecraft provider trust "+run.Provider))
	}
	if digests, ok := p.Require.Digests[run.Provider]; ok && !slices.Contains(digests, run.SHA256) {
		refusals = append(refusals, p.refusal(p.Require.digestPos[run.Provider],
			fmt.Sprintf("provider %s has sha256 %s, the policy requires another digest", run.Provider, run.SHA256), ""))
	}
	return refusals
}

// refuseCommands says which required confinement the commands of the run would
// not have, by this and the other policies.
func (p *Policy) refuseCommands(policies []*Policy, run Run) []Refusal {
	var refusals []Refusal
	if p.Require.Confine == ConfineRequire {
		switch {
		case len(Confine(policies, run.Provider)) == 0:
			refusals = append(refusals, p.refusal(p.Require.confinePos, "commands must be confined, and no policy says to what",
				"give the provider a section files or net"))
		case len(run.Unenforced) > 0:
			refusals = append(refusals, p.refusal(p.Require.confinePos, cannot+strings.Join(run.Unenforced, "; "), ""))
		}
	}
	for _, c := range Confine([]*Policy{p}, run.Provider) {
		if c.Mode != ConfineRequire || !c.Commands {
			continue
		}
		if len(run.Unenforced) > 0 {
			refusals = append(refusals, p.refusal(c.pos, cannot+strings.Join(run.Unenforced, "; "), bestEffort))
		}
		for _, r := range c.Unenforced {
			refusals = append(refusals, p.refusal(r.Pos, fmt.Sprintf("%q cannot be denied to commands: one that may use a directory may use all that is in it", r.Text), bestEffort))
		}
	}
	return refusals
}

func (p *Policy) refusal(pos yamldoc.Pos, message, hint string) Refusal {
	return Refusal{p.Layer, p.Name, pos, message, hint}
}
