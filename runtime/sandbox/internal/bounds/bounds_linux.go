package bounds

// Needed says whether files may only be opened where that is bounded.
const Needed = false

// Enter is still to come.
func Enter(Bounds) (Enforced, error) { return Enforced{}, nil }
