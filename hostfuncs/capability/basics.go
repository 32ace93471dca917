package capability

import "github.com/stagecraft-dev/stagecraft/internal/yamldoc"

// basics are the rights of each provider that a policy names: to speak to the
// user, and to wait for or end what it was allowed to start.
var basics = family{
	operations: []string{"log", "process_stop", "process_wait", "ready"},
	asked:      func(c *Claim) bool { return c.Log || c.Own },
	decide: func(e *evaluation) {
		if (e.claim.Log || e.claim.Own) && len(e.sections) == 0 {
			e.miss(Grant{})
		}
	},
	requests: []request{{key: "log", operation: "log", read: func(r *reader, _, value *yamldoc.Node, c *Claim) {
		if c.Log = value.Text() == "true"; !c.Log || value.Kind() != yamldoc.KindBool {
			r.problems.Expected(value, "true")
		}
	}}},
}
