// Package backend is the host's view of a provider: the calls it takes, and the
// registry of all providers by ID.
package backend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// DevOptions is what a provider gets to run a backend for development.
type DevOptions = abi.DevOptions

// BuildDockerOptions is what a provider gets to build a backend's image.
type BuildDockerOptions = abi.BuildDockerOptions

// Provider runs and builds a backend. Its methods may be called one after
// another, not at once. An error that has an [abi.Error] in its chain carries
// a code, a hint and the places of the configuration that are wrong.
type Provider interface {
	// ID is the name by which the configuration selects the provider; it
	// never changes.
	ID() string
	// Dev runs the backend until it ends by itself or ctx is done. When ctx
	// is done it has the grace period to clean up and must return then.
	Dev(ctx context.Context, opts DevOptions) error
	// BuildDocker builds the image and returns its reference, which need not
	// be opts.ImageTag.
	BuildDocker(ctx context.Context, opts BuildDockerOptions) (string, error)
}

// CheckID returns an error for an invalid provider ID.
func CheckID(id string) error {
	switch {
	case id == "":
		return errors.New("a provider's ID is empty")
	case len(id) > 63 || id[0] == '-' || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return fmt.Errorf("%+q is not a provider ID: use up to 63 of a-z, 0-9 and -, not beginning with -", id)
	}
	return nil
}

// Registry has all providers by ID: [Provider] values, or others that know their
// ID, such as modules that are not loaded. The zero value is empty and ready to
// use. It is safe for concurrent use.
type Registry[P interface{ ID() string }] struct {
	mu   sync.RWMutex
	byID map[string]P
}

// DuplicateError says that an ID is already registered.
type DuplicateError struct{ ID string }

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("provider %q is already registered", e.ID)
}

// Register adds a provider. It returns an error if [CheckID] refuses the ID, and a
// [*DuplicateError] if the ID is taken.
func (r *Registry[P]) Register(p P) error {
	if any(p) == nil {
		return errors.New("a provider is nil")
	}
	id := p.ID()
	if err := CheckID(id); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.byID[id]; ok {
		return &DuplicateError{ID: id}
	}
	if r.byID == nil {
		r.byID = make(map[string]P)
	}
	r.byID[id] = p
	return nil
}

// Get returns the provider with that ID.
func (r *Registry[P]) Get(id string) (P, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, ok := r.byID[id]
	return p, ok
}

// Has reports whether there is a provider with that ID.
func (r *Registry[P]) Has(id string) bool {
	_, ok := r.Get(id)
	return ok
}

// IDs lists the IDs of all providers, sorted.
func (r *Registry[P]) IDs() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.byID))
}
