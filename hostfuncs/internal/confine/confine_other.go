//go:build !linux

package confine

import "runtime"

// Probe finds that there is nothing: Landlock and seccomp are parts of Linux.
func Probe() Support {
	return Support{Reason: "this is " + runtime.GOOS}
}

// Apply is a [*MissingError], unless the rules are best effort: then it does
// nothing.
func (r Rules) Apply(s Support, _ ...int) (*Broker, error) {
	if r.BestEffort {
		return nil, nil
	}
	return nil, &MissingError{Missing: r.Missing(s)}
}

// Broker is only there on Linux.
type Broker struct{}

// Serve returns at once.
func (*Broker) Serve() {}
