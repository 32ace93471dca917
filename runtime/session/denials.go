package session

import (
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// DeniedError says that a policy refused calls of the provider's, whatever the
// provider made of that.
type DeniedError struct {
	// Denials are the first of those that differ in what they asked for.
	Denials []Record
	// Count is how often the provider was refused.
	Count int
	// Err is how the provider ended, nil when it went on as if nothing was.
	Err error
}

func (e *DeniedError) Error() string {
	if e.Count == 1 {
		return "1 call denied by policy"
	}
	return fmt.Sprintf("%d calls denied by policy", e.Count)
}

// Unwrap gives the provider's own error.
func (e *DeniedError) Unwrap() error { return e.Err }

// recorder keeps what decides the run's outcome, and tells of the rest.
type recorder struct {
	reporter Reporter
	audit    *auditLog
	mode     mode
	denials  []Record
	denied   int
	seen     map[string]bool
	built    *builtImage
	work     work
}

// builtImage is an image, and the operation that told of it.
type builtImage struct {
	abi.DockerBuildResult
	operation string
	bases     []Base
}

// basesOf are the images that a build names.
func basesOf(b *capability.Build, digests map[string]string) []Base {
	var bases []Base
	for _, ref := range b.Bases {
		bases = append(bases, Base{Reference: ref, Digest: digests[ref]})
	}
	return bases
}

// maxDenials bounds what is kept of a provider that asks again and again.
const maxDenials = 50

// Decided implements [hostfuncs.Auditor].
func (r *recorder) Decided(rec *Record) error {
	if rec.Denied() {
		r.deny(rec)
	}
	return r.audit.decided(rec)
}

func (r *recorder) deny(rec *Record) {
	r.denied++
	asked := rec.Claim.String()
	if r.seen[asked] || len(r.denials) == maxDenials {
		return
	}
	if r.seen == nil {
		r.seen = make(map[string]bool)
	}
	r.seen[asked] = true
	r.denials = append(r.denials, *rec)
}

// Done implements [hostfuncs.Auditor].
func (r *recorder) Done(rec *Record) {
	if rec.Error == nil {
		if rec.Effect {
			r.work.note(rec.Claim)
		}
		switch image := rec.Result.(type) {
		case abi.DockerBuildResult:
			r.built = &builtImage{image, rec.Operation, basesOf(rec.Claim.Build, image.Bases)}
		case abi.DockerImageResult:
			r.built = &builtImage{abi.DockerBuildResult{Image: image.Image, ID: image.ID, Digest: image.Digest, Config: image.Config}, rec.Operation, nil}
		}
	}
	r.mode.note(rec)
	r.audit.done(rec)
	r.reporter.Call(rec)
}

// Grants merges what all denials lack, for one policy that would allow them.
func (e *DeniedError) Grants() []capability.Grant {
	var grants []capability.Grant
	merged := make(map[capability.Grant]bool)
	for _, d := range e.Denials {
		for _, g := range d.Grants() {
			if !merged[g] {
				merged[g] = true
				grants = append(grants, g)
			}
		}
	}
	return grants
}
