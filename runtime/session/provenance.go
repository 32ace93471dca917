package session

import (
	"crypto/rand"
	"path/filepath"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

// invocation is one call of a provider's export.
type invocation struct {
	id           string // in the audit log as well
	begun, ended time.Time
}

func newInvocation() invocation { return invocation{id: rand.Text(), begun: time.Now()} }

// Provenance says what is known of how the image was built, which this session
// built last.
//
// # Errors
//
// There is none of an image without an ID or digest.
func (s *Session) Provenance(image Image) (provenance.Statement, error) {
	b := provenance.Build{
		Image: image.Reference, Digests: image.digests(), Config: image.Config,
		External: provenance.External{
			Config: provenance.File{Name: filepath.Base(s.config.File), SHA256: s.config.Digest},
			Tag:    s.building.Tag, Push: s.building.Push,
			Engine: s.engineName(), Tags: s.opts.Builds.Tags, Platforms: s.opts.Builds.Platforms,
			NoCache: s.opts.Builds.NoCache, Pull: s.opts.Builds.Pull, Epoch: s.opts.Builds.Epoch,
		},
		Internal: provenance.Internal{ImageFrom: image.Operation},
		Provider: provenance.Module{ID: s.selected.ID(), SHA256: s.selected.digest},
		Run:      s.invocation.id, Started: s.invocation.begun, Finished: s.invocation.ended,
		Versions: s.opts.Versions,
	}
	for _, base := range s.opts.Builds.Bases {
		b.External.Bases = append(b.External.Bases, base.Reference+"=oci:"+s.publicName(base.Dir))
	}
	for _, p := range s.files() {
		b.Internal.Policies = append(b.Internal.Policies, provenance.Policy{
			Layer: string(p.Layer), File: provenance.File{Name: s.publicName(p.Name), SHA256: p.Digest},
		})
	}
	for _, base := range image.Bases {
		b.Bases = append(b.Bases, provenance.Base(base))
	}
	if s.plan != nil {
		b.Internal.Plan = &provenance.File{Name: s.publicName(s.held.Name), SHA256: s.plan.digest}
		b.Contexts = s.plan.contexts()
	}
	return provenance.New(b)
}

// digests are those by which a deployment may name the image; where no manifest
// is known, what the engine runs it by.
func (i Image) digests() []string {
	if i.Digest == "" && i.ID != "" {
		return []string{i.ID}
	}
	return append([]string{i.Digest}, i.OtherDigests...)
}

// engineName is what the user said of what builds, empty for nothing. An address
// is not for others to know.
func (s *Session) engineName() string { return string(s.opts.Builds.Engine.Kind) }

// publicName is what others may know of where a file is: its path in the
// project, or else its name.
func (s *Session) publicName(file string) string {
	if abs, err := filepath.Abs(file); err == nil {
		if rel, err := filepath.Rel(s.config.Root, abs); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.Base(file)
}

// contexts are the directories that a plan's builds send, whose digests were
// compared when they were sent.
func (p *Plan) contexts() []provenance.Context {
	var contexts []provenance.Context
	for _, step := range p.Steps {
		if b := step.Build; b != nil && b.SHA256 != "" {
			contexts = append(contexts, provenance.Context{Directory: b.Context, SHA256: b.SHA256})
		}
	}
	return contexts
}
