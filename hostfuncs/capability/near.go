package capability

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Miss is a rule that nearly allows a claim.
type Miss struct {
	// Key is where the rule stands, such as env.pass.
	Key  string
	Rule string
	Pos  yamldoc.Pos
	// Why is what keeps it from allowing the claim.
	Why string

	score int // how near it is; 0 is not near at all
}

// Near lists rules of a policy that nearly allow a part of a claim that the
// policy does not allow, the nearest first, at most limit.
func Near(p *Policy, c Claim, limit int) []Miss {
	if p == nil || c.fault() != "" {
		return nil
	}
	var misses []Miss
	for _, part := range c.parts() {
		if Decide([]*Policy{p}, part.alone).Allowed {
			continue
		}
		for _, l := range p.lists {
			if l.Deny || !slices.Contains(part.keys, l.Key) {
				continue
			}
			for _, rule := range l.Rules {
				misses = append(misses, part.miss(l, rule, c.Provider))
			}
		}
	}
	misses = slices.DeleteFunc(misses, func(m Miss) bool { return m.score == 0 })
	slices.SortStableFunc(misses, func(a, b Miss) int { return cmp.Or(cmp.Compare(b.score, a.score), a.Pos.Compare(b.Pos)) })
	misses = slices.CompactFunc(misses, func(a, b Miss) bool { return a.Pos == b.Pos && a.Rule == b.Rule })
	return misses[:min(limit, len(misses))]
}

// part is one thing that a claim needs, and the lists where it could stand.
type part struct {
	keys []string
	exec *Exec
	text string
	port int
	// alone is the claim without its other parts.
	alone Claim
}

// parts takes a claim apart.
func (c *Claim) parts() []part {
	var out []part
	bare := Claim{Operation: c.Operation, Provider: c.Provider, Log: c.Log}
	add := func(p part, set func(alone *Claim)) {
		p.alone = bare
		set(&p.alone)
		out = append(out, p)
	}
	if c.Exec != nil {
		add(part{keys: []string{"exec"}, exec: c.Exec}, func(alone *Claim) { alone.Exec = c.Exec })
	}
	for _, use := range c.Env {
		add(part{keys: use.keys(), text: use.Name}, func(alone *Claim) { alone.Env = []EnvUse{use} })
	}
	for _, use := range c.Files {
		add(part{keys: use.keys(), text: use.Path}, func(alone *Claim) { alone.Files = []FileUse{use} })
	}
	for _, use := range c.Net {
		add(part{keys: []string{"net.connect"}, port: use.Port}, func(alone *Claim) { alone.Net = []NetUse{use} })
	}
	return append(out, c.buildParts()...)
}

// keys are the lists whose rules can allow the use.
func (u EnvUse) keys() []string {
	if u.Use == Look {
		return []string{"env.read", "env.pass"}
	}
	return []string{"env.pass"}
}

// keys are the lists whose rules can allow the use.
func (u FileUse) keys() []string {
	switch u.Use {
	case Load:
		return []string{"files.env", "files.read"}
	case Write:
		return []string{"files.write"}
	default:
		return []string{"files.read"}
	}
}

// buildParts are a build's own parts, which are compared as texts.
func (c *Claim) buildParts() []part {
	if c.Build == nil {
		return nil
	}
	out := []part{{keys: []string{"build.contexts"}, text: c.Build.Context, alone: *c}}
	for _, tag := range c.Build.Tags {
		out = append(out, part{keys: []string{"build.tags"}, text: tag, alone: *c})
	}
	for _, arg := range c.Build.Args {
		out = append(out, part{keys: []string{"build.args"}, text: arg, alone: *c})
	}
	for _, l := range textLists {
		for _, text := range l.texts(c.Build) {
			out = append(out, part{keys: []string{"build." + l.key}, text: text, alone: *c})
		}
	}
	return out
}

// miss compares a rule with a part that is not allowed.
func (p part) miss(l List, rule *Rule, provider string) Miss {
	m := Miss{Key: l.Key, Rule: rule.Text, Pos: rule.Pos}
	matches := p.matches(l.Key, rule)
	switch {
	case matches && l.Provider != provider && l.Provider != anyProvider:
		m.score, m.Why = 90, fmt.Sprintf("it stands below %s, not below %s", l.Provider, provider)
	case matches || l.Provider != provider && l.Provider != anyProvider:
		// What is allowed by this rule is denied by another.
	case p.exec != nil:
		m.score, m.Why = p.missCommand(rule)
	case l.Key == "net.connect":
		m.score, m.Why = p.missPort(rule)
	default:
		m.score, m.Why = p.missText(l.Key, rule.Text)
	}
	return m
}

// matches asks the index that decides.
func (p part) matches(key string, rule *Rule) bool {
	if l, ok := textListOf(key); ok {
		index := l.fresh()
		return index.add(rule) == nil && index.allows(p.text) != nil
	}
	switch key {
	case "exec":
		var index execAllow
		return index.add(rule) == nil && index.find(p.exec) != nil
	case "env.pass", "env.read", "build.args":
		var index variables
		_, hazard := Dangerous(p.text)
		return index.add(rule) == nil && index.find(p.text, hazard && key == "env.pass") != nil
	case "build.tags":
		var index references
		return index.add(rule) == nil && index.find(p.text) != nil
	case "net.connect":
		var index ports
		return index.add(rule) == nil && index.find(p.port) != nil
	default:
		var index paths
		return index.add(rule) == nil && index.find(p.text) != nil
	}
}

func (p part) missCommand(rule *Rule) (int, string) {
	asked, words := p.exec.Argv, rule.words
	name, wanted := base(asked[0]), base(cleanFile(words[0]))
	if !glob(strings.ToLower(wanted), strings.ToLower(name)) {
		if near := abi.Nearest(name, []string{wanted}); near != "" {
			return 20, fmt.Sprintf("its program is %s", wanted)
		}
		return 0, ""
	}
	var bare execAllow
	if unpinned := (&Rule{words: rule.words}); rule.sha256 != "" && bare.add(unpinned) == nil && bare.find(p.exec) != nil {
		return 95, fmt.Sprintf("it pins another file of the program, with sha256 %s", rule.sha256)
	}
	for i, word := range asked[1:] {
		switch {
		case i+1 >= len(words):
			return 40 + i, fmt.Sprintf("it ends before %q; a last ** stands for any words", word)
		case words[i+1] == deep:
			return 80, "the program is called in another way: " + yamldoc.Word(asked[0])
		case strictWord(words[i+1], word):
		case glob(words[i+1], word):
			return 60 + i, fmt.Sprintf("its word %q matches nothing that begins with -, such as %q", words[i+1], word)
		default:
			return 40 + i, fmt.Sprintf("its word %d is %q, not %q", i+2, words[i+1], word)
		}
	}
	if len(words) > len(asked) && words[len(asked)] != deep {
		return 40 + len(asked), fmt.Sprintf("it goes on with %q", words[len(asked)])
	}
	return 80, "the program is called in another way: " + yamldoc.Word(asked[0])
}

func (p part) missText(key, rule string) (int, string) {
	why, hazard := Dangerous(p.text)
	if l, ok := textListOf(key); ok {
		if text, ok := l.rule(p.text); ok {
			p.text = text
		}
		if said := l.missed(rule, p.text); said != "" {
			return 65, said
		}
	}
	switch {
	case key == "env.pass" && hazard && glob(rule, p.text):
		return 70, fmt.Sprintf("a pattern does not match %s, since %s", p.text, why)
	case strings.EqualFold(rule, p.text):
		return 70, "upper and lower case are different letters"
	case path.Clean(rule) != "." && strings.HasPrefix(p.text, path.Clean(rule)+"/"):
		return 60, fmt.Sprintf("it is the directory itself; %s/** is all in it", path.Clean(rule))
	case globWhole(rule, p.text):
		return 50, "its * crosses no slash"
	case abi.Nearest(p.text, []string{rule}) != "":
		return 30, "it is another name"
	}
	return 0, ""
}

// nearPorts is how many ports apart are near: those of one project often follow
// each other.
const nearPorts = 10

func (p part) missPort(rule *Rule) (int, string) {
	if of, err := parsePorts(rule.Text); err == nil && of.distance(p.port) <= nearPorts {
		return 30, "it is another port"
	}
	return 0, ""
}

// globWhole tells whether a pattern would match if its * crossed slashes.
func globWhole(rule, text string) bool { return strings.Contains(rule, "*") && glob(rule, text) }
