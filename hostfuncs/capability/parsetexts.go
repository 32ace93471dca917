package capability

import (
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// textKeys read what a section build says of texts.
func (r *reader) textKeys(s *section) map[string]func(*yamldoc.Node) {
	keys := map[string]func(*yamldoc.Node){
		"require_digest": func(n *yamldoc.Node) {
			if n.Kind() != yamldoc.KindBool {
				r.expected(n, "true or false")
			}
			if n.Text() == "true" {
				s.digests = &Rule{Text: "require_digest: true", Pos: n.Pos()}
				r.policy.digests = append(r.policy.digests, providerRule{r.provider, s.digests})
			}
		},
	}
	for _, l := range textLists {
		keys[l.key] = func(n *yamldoc.Node) {
			rules := s.rulesOf(l)
			r.rules(n, "build."+l.key, rules.allow, rules.deny, r.text)
		}
	}
	return keys
}
