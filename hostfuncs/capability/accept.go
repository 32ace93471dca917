package capability

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Acceptance says that a finding is intended. It is bound to one finding of one
// rule, and changes no decision.
type Acceptance struct {
	Pos yamldoc.Pos
	// Finding, Provider, Key and Rule are those of the finding.
	Finding       FindingName
	Provider, Key string
	Rule          string
	// Reason is why.
	Reason string

	id FindingID
}

// ID is the one finding that the acceptance is bound to.
func (a *Acceptance) ID() FindingID { return a.id }

// FindingID is the same for findings of one name about one rule.
type FindingID struct {
	name                FindingName
	provider, key, rule string
}

// FindingID identifies a finding about a rule of the list.
func (l List) FindingID(name FindingName, r *Rule) FindingID {
	return FindingID{name, l.Provider, l.Key, r.key()}
}

// Acceptances are all of a policy file, in its order.
func (p *Policy) Acceptances() []Acceptance { return p.accepted }

// acceptKeys are the keys of an acceptance; each is required.
var acceptKeys = []string{"finding", "provider", "key", "rule", "reason"}

func (r *reader) accept(n *yamldoc.Node, p *Policy) {
	if n.Kind() != yamldoc.KindList {
		r.problems.Expected(n, "a list of accepted findings")
		return
	}
	seen := make(map[FindingID]int)
	for _, item := range n.Items() {
		a, ok := r.acceptance(item)
		if !ok {
			continue
		}
		if line, ok := seen[a.id]; ok {
			r.problems.Wrong(item, fmt.Sprintf("duplicate acceptance (first at line %d)", line), "remove one of the two")
			continue
		}
		seen[a.id] = a.Pos.Line
		p.accepted = append(p.accepted, a)
	}
}

func (r *reader) acceptance(n *yamldoc.Node) (Acceptance, bool) {
	before := len(r.problems)
	a := Acceptance{Pos: n.Pos()}
	r.mapping(n, "a mapping of "+strings.Join(acceptKeys, ", "), map[string]func(*yamldoc.Node){
		"finding":  func(n *yamldoc.Node) { a.Finding = FindingName(r.named(n, "finding", findingNames)) },
		"provider": func(n *yamldoc.Node) { a.Provider = r.acceptedProvider(n) },
		"key":      func(n *yamldoc.Node) { a.Key = r.named(n, "key", ruleKeys()) },
		"rule":     func(*yamldoc.Node) {}, // it is read after the key
		"reason": func(n *yamldoc.Node) {
			if a.Reason = strings.TrimSpace(n.Text()); n.Kind() != yamldoc.KindString {
				r.problems.Expected(n, "a reason in words")
			} else if a.Reason == "" {
				r.problems.Wrong(n, "is empty", "say why the finding is intended")
			}
		},
	})
	if n.Kind() != yamldoc.KindMap {
		return a, false
	}
	for _, key := range acceptKeys {
		if n.Get(key) == nil {
			r.problems.Wrong(n, key+" is required", "an accepted finding has "+strings.Join(acceptKeys, ", "))
		}
	}
	if rule := n.Get("rule"); rule != nil && a.Key != "" {
		r.acceptedRule(rule, &a)
	}
	a.id.name, a.id.provider, a.id.key = a.Finding, a.Provider, a.Key
	return a, len(r.problems) == before
}

// acceptedRule reads the rule as in the list of its key.
func (r *reader) acceptedRule(n *yamldoc.Node, a *Acceptance) {
	rule := r.rule(n, KeyOf(a.Key))
	if rule != nil {
		a.Rule, a.id.rule = rule.Text, rule.key()
	}
}

func (r *reader) acceptedProvider(n *yamldoc.Node) string {
	if n.Kind() != yamldoc.KindString || n.Text() != anyProvider && !isProviderID(n.Text()) {
		r.problems.Wrong(n, fmt.Sprintf("%q is not a provider ID", n.Text()), `use the ID that has the rule, or "*"`)
	}
	return n.Text()
}

// named reads one of many words.
func (r *reader) named(n *yamldoc.Node, what string, words []string) string {
	if n.Kind() == yamldoc.KindString && slices.Contains(words, n.Text()) {
		return n.Text()
	}
	hint := "known here: " + strings.Join(words, ", ")
	if near := yamldoc.Nearest(n.Text(), words); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	r.problems.Wrong(n, fmt.Sprintf("unknown %s %q", what, n.Text()), hint)
	return ""
}

// ruleKeys are the keys that a finding can be of.
func ruleKeys() []string {
	var all []string
	for _, k := range Keys() {
		all = append(all, k.name)
	}
	return all
}

// FindingName is a kind of finding of package explain, in a word. A name keeps
// its meaning: policies accept findings by it.
type FindingName string

// The names of findings.
const (
	NeverMatches   FindingName = "never-matches"   // the rule has no effect
	Covered        FindingName = "covered"         // another rule matches all that it does
	OpenProgram    FindingName = "open-program"    // it leaves open which program runs
	OpenArguments  FindingName = "open-arguments"  // it leaves open the arguments of a program
	OpenWord       FindingName = "open-word"       // it leaves single words open, of a program that is not known
	GrantsNothing  FindingName = "grants-nothing"  // it grants commands nothing
	ProtectedWrite FindingName = "protected-write" // it lets commands write what restricts the next run, or what others run
	DockerSocket   FindingName = "docker-socket"   // it gives commands the Docker engine
	HostNetwork    FindingName = "host-network"    // it gives the steps of a build this machine's network
	UnusedAccept   FindingName = "unused-accept"   // it accepts what is not found
	NotCompared    FindingName = "not-compared"    // from here on, rules are not compared with each other
)

// findingNames are the findings that can be accepted: all but the one that says
// that an acceptance is not needed. They are sorted.
var findingNames = []string{
	string(Covered), string(DockerSocket), string(GrantsNothing), string(HostNetwork), string(NeverMatches), string(NotCompared),
	string(OpenArguments), string(OpenProgram), string(OpenWord), string(ProtectedWrite),
}
