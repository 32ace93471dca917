package session

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/gitstate"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

// BuildOptions say what to build.
type BuildOptions struct {
	// Tag is the image's reference, by default [Session.DefaultTag].
	Tag  string
	Push bool
	// Flags are flags that not every provider can carry out, besides those of
	// [Options.Builds].
	Flags []Flag
}

// Image is a built image.
type Image struct {
	Reference string
	// Tags are its further references.
	Tags []string
	// ID is the digest by which an engine runs it, if docker_build or docker_image
	// returned it.
	ID string
	// Digest is the digest of the manifest or index by which a deployment names it,
	// OtherDigests those of further ones, and Config that of its configuration. They
	// are empty if unknown.
	Digest       string
	OtherDigests []string
	Config       string
	// Operation returned the ID and the digests.
	Operation string
	// Bases are its base images, as far as they are known.
	Bases []Base
	// Changed are the files that restrict runs and changed during this one.
	Changed []ChangedFile

	run finished
}

// Base is a base image; Digest includes the algorithm.
type Base struct{ Reference, Digest string }

// Build builds the backend's image.
func (s *Session) Build(ctx context.Context, opts BuildOptions) (Image, error) {
	return s.buildImage(ctx, live{}, opts, s.builds)
}

// BuildPlanned carries out exactly the effects of a plan, in their order, with the same
// module. The policies are enforced too.
func (s *Session) BuildPlanned(ctx context.Context, file string, plan *Plan, flags []Flag) (Image, error) {
	if plan.Provider.ID != s.config.Provider {
		return Image{}, &PlanError{file, fmt.Sprintf("made with provider %s, but the configuration selects %s", plan.Provider.ID, s.config.Provider), "plan again", true}
	}
	m := &plannedMode{plan: plan, steps: &hostfuncs.Planned{Name: file}}
	for _, step := range plan.Steps {
		m.steps.Steps = append(m.steps.Steps, hostfuncs.Step{Operation: step.Operation, Detail: step.detail()})
	}
	builds := s.builds
	builds.Tags = plan.Tags
	builds.NoCache = builds.NoCache || plan.NoCache
	builds.Pull = builds.Pull || plan.Pull
	return s.buildImage(ctx, m, BuildOptions{Tag: plan.Tag, Push: plan.Push, Flags: append(flags, plan.flags(file)...)}, builds)
}

func (s *Session) buildImage(ctx context.Context, m mode, opts BuildOptions, builds build.Options) (Image, error) {
	image := Image{Tags: builds.Tags}
	done, err := s.run(ctx, m, s.buildCall(opts, builds, &image.Reference))
	if err != nil {
		return Image{}, err
	}
	if built := done.recorder.built; built != nil && built.Image == image.Reference {
		image.ID, image.Digest, image.OtherDigests, image.Config = built.ID, built.Digest, built.OtherDigests, built.Config
		image.Operation, image.Bases = built.operation, built.bases
	}
	image.Changed, image.run = done.changed, done
	return image, nil
}

// buildCall is a call of build_docker, which sets reference.
func (s *Session) buildCall(opts BuildOptions, builds build.Options, reference *string) call {
	if opts.Tag == "" {
		opts.Tag = s.DefaultTag()
	}
	opts.Flags = slices.Concat(s.opts.Builds.Flags(), opts.Flags)
	return call{operation: abi.ExportBuildDocker, build: opts, builds: builds, make: s.checked(func(ctx context.Context, l *loaded, d division) (err error) {
		*reference, err = l.guest.BuildDocker(ctx, d.fill(backend.BuildDockerOptions{
			Config: s.part(l.guest), WorkDir: ".", Env: s.opts.Env, ImageTag: opts.Tag, Push: opts.Push,
		}))
		return err
	})}
}

// DefaultTag is the reference of the image if the user gives none:
// <registry>/<project name>:<short commit>, with -dirty if the files differ from the
// commit. The default of the name is that of the directory, and outside of git the
// version is dev.
func (s *Session) DefaultTag() string {
	name := s.config.Project.Name
	if name == "" {
		name = imageName(filepath.Base(s.config.Root))
	}
	if registry := s.config.Project.Registry; registry != "" {
		name = registry + "/" + name
	}
	version := "dev"
	if r, ok := gitstate.Find(s.config.Root); ok {
		if commit := r.Head(); commit != "" {
			version = commit[:7]
			if r.Dirty(s.config.Root, gitstate.Options{Own: s.own(), Getenv: s.getenv}) {
				version += "-dirty"
			}
		}
	}
	return name + ":" + version
}

// getenv is the value of a variable in the user's environment.
func (s *Session) getenv(name string) string {
	value, _ := values.Lookup(s.opts.Environ, name)
	return value
}

// imageName turns the name of a directory into that of an image: characters other than
// a-z and 0-9 become hyphens, several in a row become one.
func imageName(directory string) string {
	words := strings.FieldsFunc(strings.ToLower(directory), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	if len(words) == 0 {
		return "app"
	}
	return strings.Join(words, "-")
}

// Provenance describes how an image was built by [Session.Build] or
// [Session.BuildPlanned].
//
// # Errors
//
// An image without an ID or digest has no provenance.
func (i Image) Provenance() (provenance.Statement, error) {
	r, s := i.run, i.run.session
	b := provenance.Build{
		Image: i.Reference, Digests: i.digests(), Config: i.Config,
		External: provenance.External{
			Config: provenance.File{Name: filepath.Base(s.config.File), SHA256: s.config.Digest},
			Tag:    r.build.Tag, Push: r.build.Push,
			// The engine's address stays private.
			Engine: string(r.builds.Engine.Kind), Tags: r.builds.Tags, Platforms: r.builds.Platforms,
			NoCache: r.builds.NoCache, Pull: r.builds.Pull, Epoch: r.builds.Epoch,
		},
		Internal: provenance.Internal{ImageFrom: i.Operation},
		Provider: provenance.Module{ID: r.module.ID, SHA256: r.module.Digest()},
		Run:      r.id, Started: r.begun, Finished: r.ended,
		Versions: s.opts.Versions,
	}
	for _, base := range r.builds.Bases {
		b.External.Bases = append(b.External.Bases, base.Reference+"=oci:"+s.publicName(base.Dir))
	}
	for _, p := range s.policies() {
		b.Internal.Policies = append(b.Internal.Policies, provenance.Policy{
			Layer: string(p.Layer), File: provenance.File{Name: s.publicName(p.Name), SHA256: p.Digest},
		})
	}
	for _, base := range i.Bases {
		b.Bases = append(b.Bases, provenance.Base(base))
	}
	r.mode.describe(&b, s)
	return provenance.New(b)
}

// digests are those by which a deployment may name the image. If the manifest is
// unknown, it is the ID.
func (i Image) digests() []string {
	if i.Digest == "" && i.ID != "" {
		return []string{i.ID}
	}
	return append([]string{i.Digest}, i.OtherDigests...)
}

// publicName is a file's path in the project, or else its name: other paths stay
// private.
func (s *Session) publicName(file string) string {
	if abs, err := filepath.Abs(file); err == nil {
		if rel, err := filepath.Rel(s.config.Root, abs); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.Base(file)
}

// optionError turns a provider's error about an option into one about the user's flag.
func (r *run) optionError(err error) error {
	e, ok := errors.AsType[*abi.Error](err)
	if !ok || e.Option == "" {
		return err
	}
	i := slices.IndexFunc(r.build.Flags, func(f Flag) bool { return f.Option == e.Option })
	if i < 0 {
		return err
	}
	message := e.Message
	if e.Option != abi.OptionProcesses { // an argument, which the message names
		message = r.build.Flags[i].Name + ": " + message
	}
	return &FlagError{Message: message, Advice: e.Hint}
}
