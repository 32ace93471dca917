package learn

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// TestCheck has policies that are not what was learnt, as a defect would give.
func TestCheck(t *testing.T) {
	say := capability.Claim{Operation: "log", Provider: "generic", Log: true}
	for text, want := range map[string]string{
		"version: 1\nproviders: {generic: {}}": "",
		"version: 1\n":                         "the learnt policy does not allow log: no rule of the learnt policy allows it",
		"version: 2\n":                         "cannot write what was learnt as a policy: the learnt policy:1:10: version: ",
	} {
		l := Learnt{Policy: text}
		err := l.check(map[string][]demand{"generic": {{claim: say}}}, Options{})
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestBounded has rules that all meet the needs of all.
func TestBounded(t *testing.T) {
	p := provider{id: "generic"}
	for i := range 50 {
		c := capability.Claim{Operation: "env_status", Provider: "generic", Env: []capability.EnvUse{{Name: strings.Repeat("a", i) + "*", Use: capability.Look}}}
		p.demands = append(p.demands, demand{c, capability.Decide(nil, c).Missing})
	}
	var rules []capability.Grant
	for _, n := range p.demands {
		rules = append(rules, n.needs...)
	}
	root, err := p.tree(rules, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := cover{of: make([][]int, len(rules))}
	for _, n := range p.demands {
		c.take(root, n)
	}
	if got := slices.Max(c.met); got != maxMet || !c.cut {
		t.Errorf("%d rules were looked for at a time, cut is %v", got, c.cut)
	}
}
