package learn

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// WeakerError is that a new policy would not confine commands that the policy in
// force confines.
type WeakerError struct {
	Provider string
	// InForce is the name of the policy in force.
	InForce string
}

func (e *WeakerError) Error() string {
	return fmt.Sprintf("nothing was written: %s confines the commands of %s, and a policy that does not would be weaker", e.InForce, e.Provider)
}

// check compares the policy with what it was learnt from.
func (l *Learnt) check(needing map[string][]needy, o Options) error {
	p, err := parse(l.Policy)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(needing)) {
		for _, n := range needing[id] {
			if d := capability.Decide([]*capability.Policy{p}, n.claim); !d.Allowed {
				return fmt.Errorf("the learnt policy does not allow %s: %s", n.claim, d.Reason())
			}
		}
		held := func(p *capability.Policy) bool { return len(capability.Confine([]*capability.Policy{p}, id)) > 0 }
		if o.Into == nil && o.InForce != nil && held(o.InForce) && !held(p) && p.Confinement(id).Commands {
			l.Policy = ""
			return &WeakerError{id, o.InForce.Name}
		}
	}
	return nil
}
