package session

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/log"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
)

// maxDetectCalls bounds the operations of one detect.
const maxDetectCalls = 2000

// detectReads is the layer of detect instead of what a provider asks for, which is about
// a configuration that does not exist yet. Files that usually have secrets are left out:
// what a provider reads could get into a file that is committed.
const detectReads = `version: 1
providers:
  "*":
    files:
      read:
        allow: ["**"]
        deny: ["**/.env", "**/.env.local", "**/.env.*.local", "**/.env.development", "**/.env.production", "**/.env.staging", "**/.env.test", "**/.envrc",
          "**/.git/**", "**/.ssh/**", "**/.aws/**", "**/.npmrc", "**/.pypirc", "**/.netrc", "**/*.pem", "**/*.key", "**/id_rsa*", "**/id_ed25519*"]
`

// Detected is a proposed configuration.
type Detected struct {
	Provider provider.Source
	abi.Candidate
}

// Detection is what providers find in a project.
type Detection struct {
	// Found is in the order of preference: the nearest directory first.
	Found []Detected
	// Untrusted are the IDs of providers that were not asked.
	Untrusted []string
	// Denied are reads that policies denied.
	Denied []Record
}

// detect has one provider detect. It returns no candidates for a module without the
// export.
func (s *Session) detect(ctx context.Context, existing bool, into *Detection) error {
	m, err := s.selected.Read()
	if err != nil {
		return err
	}
	about, err := examine(m)
	if err != nil || !slices.Contains(about.Info.Exports, abi.ExportDetect) {
		return err
	}
	if err := s.admitIdle(m); err != nil {
		return err
	}
	gate := &lateGate{ctx: ctx}
	l, err := load(ctx, m, gate, s.opts, "", nil)
	if err != nil {
		return err
	}
	defer l.close()
	if err := s.checkEntry(l); err != nil {
		return err
	}
	if gate.gate, err = s.detectGate(l, into); err != nil {
		return err
	}
	opts := abi.DetectOptions{WorkDir: "."}
	if existing {
		opts.Config = s.part(l.guest)
	}
	found, err := l.guest.Detect(ctx, opts)
	if err != nil {
		return err
	}
	for _, c := range found {
		if existing {
			c.Config = opts.Config
		}
		if err := l.guest.Validate(ctx, abi.ValidateOptions{Config: c.Config}); err != nil {
			return fmt.Errorf("it proposes a configuration that it refuses: %w", err)
		}
		into.Found = append(into.Found, Detected{s.selected, c})
	}
	return nil
}

// detectGate has the operations that read.
func (s *Session) detectGate(l *loaded, into *Detection) (*hostfuncs.Gate, error) {
	reads, err := capability.Parse("detect", []byte(detectReads))
	if err != nil {
		return nil, err
	}
	reads.Layer = capability.Asked
	project := files.NewProject(s.config.Root)
	logs := log.Operation(func(level abi.Level, message string) { s.opts.Reporter.Log(l.ID, level, message) })
	return hostfuncs.NewGate(hostfuncs.GateOptions{
		Provider: l.ID, Policies: append([]*capability.Policy{reads}, s.policies()...), Mask: s.opts.Mask,
		Auditor: detectAuditor{s.opts.Reporter, reads, into}, Operations: append(project.Operations(), logs),
	})
}

// detectAuditor shows calls, and collects what the user's policies denied.
type detectAuditor struct {
	reporter Reporter
	reads    *capability.Policy
	into     *Detection
}

// Decided implements [hostfuncs.Auditor].
func (a detectAuditor) Decided(rec *Record) error {
	if rec.Denied() && capability.Decide([]*capability.Policy{a.reads}, rec.Claim).Allowed && len(a.into.Denied) < maxDenials {
		a.into.Denied = append(a.into.Denied, *rec)
	}
	return nil
}

// Done implements [hostfuncs.Auditor].
func (a detectAuditor) Done(rec *Record) { a.reporter.Call(rec) }

// prefer orders candidates: the nearest directory, the most certain one, and providers
// that the user has trusted before built-in ones. Otherwise the provider's order counts.
// What is only possible comes last.
func prefer(a, b Detected) int {
	return cmp.Or(
		cmp.Compare(guess(a.Certainty), guess(b.Certainty)),
		cmp.Compare(depth(a.Dir), depth(b.Dir)),
		cmp.Compare(rank(a.Certainty), rank(b.Certainty)),
		cmp.Compare(builtIn(a), builtIn(b)),
	)
}

func guess(c abi.Certainty) int {
	if c == abi.Possible {
		return 1
	}
	return 0
}

func depth(dir string) int {
	if dir == "." {
		return 0
	}
	return 1 + strings.Count(dir, "/")
}

func rank(c abi.Certainty) int {
	return slices.Index([]abi.Certainty{abi.Certain, abi.Likely, abi.Possible}, c)
}

func builtIn(d Detected) int {
	if d.Provider.Origin == provider.BuiltIn {
		return 1
	}
	return 0
}
