package explain

import (
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// withoutDigest finds a rule for base images that matches none with a digest,
// where a rule requires one.
func withoutDigest(c *checker, l capability.List, rule *capability.Rule) (hint, why string) {
	for _, required := range c.policy.DigestRules() {
		if !required.For(l.Provider) {
			continue
		}
		if strings.ContainsAny(rule.Text[strings.LastIndexByte(rule.Text, '/')+1:], "*@") {
			return "", ""
		}
		return "write it with @sha256:*, or with one digest", fmt.Sprintf("allows nothing: it has no digest, and %q requires one, %s", required.Rules[0].Text, required.Rules[0].Pos)
	}
	return "", ""
}

// hostNetwork finds builds with the network of this machine.
func hostNetwork(c *checker, l capability.List, rule *capability.Rule) {
	if rule.Text == "host" {
		c.find(l, rule, capability.HostNetwork, "use default or none", "lets the steps of a build reach what listens on the loopback of the machine that builds")
	}
}
