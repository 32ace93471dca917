package capability

// List is one list of rules as it stands in a policy file.
type List struct {
	// Provider is an ID, or "*".
	Provider string
	// Key is where it stands, such as env.pass.
	Key  string
	Deny bool
	// Rules are in the order of the file.
	Rules []*Rule
}

// Lists are all lists of rules of a policy file, in its order.
func (p *Policy) Lists() []List { return p.lists }
