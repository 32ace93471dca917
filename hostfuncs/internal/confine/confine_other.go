//go:build !linux

package confine

import "runtime"

// Probe finds no support: Landlock and seccomp are parts of Linux.
func Probe() Support {
	return Support{Reason: "this is " + runtime.GOOS}
}

// Apply returns a [*MissingError], or does nothing if the rules are best effort.
func (r Rules) Apply(s Support, _ ...int) (*Broker, error) {
	if r.BestEffort {
		return nil, nil
	}
	return nil, &MissingError{Missing: r.Missing(s)}
}

// Broker is used on Linux only.
type Broker struct{}

// Serve returns at once.
func (*Broker) Serve() {}
