// Package build has the operations docker_build and docker_image: images are
// built by a Docker engine, a BuildKit daemon, or without either.
//
// A request goes down through docker_build.go, request.go, dockerfile.go and
// engine.go to one of the builders: docker.go, buildkit.go or embedded.go.
package build

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

// Config is what builds need. All of it is required, except Own and Guards.
type Config struct {
	Project *files.Project
	Env     *values.Environment
	Options Options
	// Own are files that this run itself reads or writes, such as its audit log:
	// absolute, their directories' links resolved. A build's context leaves them
	// out, since they would change it.
	Own []string
	// Guards starts the guards of credential helpers. Nil executes this program itself.
	Guards *process.Guards
	// Mask has the values that must not be shown.
	Mask *redact.Set
	Log  func(level abi.Level, message string)
	Warn func(error)
}

// Images builds and finds images for one run of a provider, which makes one call
// after another.
type Images struct {
	project *files.Project
	env     *values.Environment
	options Options
	own     []string
	mask    func(string) string
	warn    func(error)
	engines engines
	// connect and find are those of engines, except in tests.
	connect func(context.Context, Engine) (builder, error)
	find    func(context.Context) (finder, error)
	// warned are the build contexts that the user was warned of.
	warned map[string]bool
}

// New returns the images of a run. It does not connect to an engine.
func New(c Config) *Images {
	i := &Images{
		project: c.Project, env: c.Env, options: c.Options, own: c.Own, mask: c.Mask.Text, warn: c.Warn,
		engines: engines{getenv: c.Env.Get, credentials: newCredentials(c.Env, c.Guards)},
		warned:  make(map[string]bool),
	}
	if c.Options.Describe {
		i.engines.describe = func(text string) { c.Log(abi.LevelDebug, text) }
	}
	i.connect = i.engines.connect
	i.find = func(ctx context.Context) (finder, error) { return i.engines.docker(ctx) }
	return i
}

// Operations are docker_build and docker_image.
func (i *Images) Operations() []hostfuncs.Operation {
	return []hostfuncs.Operation{i.buildOp(), i.imageOp()}
}

// imageOp finds an image that the engine has. It does not set Looks: in a plan,
// the image is not built yet.
func (i *Images) imageOp() hostfuncs.Op[abi.DockerImageRequest, string, abi.DockerImageResult] {
	return hostfuncs.Op[abi.DockerImageRequest, string, abi.DockerImageResult]{
		Name: abi.OpDockerImage,
		Resolve: func(_ context.Context, q abi.DockerImageRequest) (string, error) {
			if _, err := image.ParseTag(q.Image); err != nil {
				return "", abi.Errorf(abi.CodeInvalid, "docker_image: %v", err)
			}
			return q.Image, nil
		},
		Claim: func(image string) capability.Claim { return capability.Claim{Image: image} },
		Do:    i.findImage,
		Step:  func(_ context.Context, image string) (hostfuncs.Detail, error) { return &ImageStep{image}, nil },
		Preview: func(image string) (abi.DockerImageResult, []string, error) {
			return abi.DockerImageResult{Image: image}, []string{"the image's ID"}, nil
		},
	}
}

func (i *Images) findImage(ctx context.Context, image string) (abi.DockerImageResult, error) {
	e, err := i.find(ctx)
	if err != nil {
		return abi.DockerImageResult{}, engineError(err)
	}
	defer e.Close()
	found, ok, err := e.Find(ctx, image)
	if err == nil && ok {
		err = found.Check()
	}
	switch {
	case err != nil:
		return abi.DockerImageResult{}, engineError(err)
	case !ok:
		return abi.DockerImageResult{}, abi.Errorf(abi.CodeNotFound, "the engine does not have the image %s", image)
	}
	return abi.DockerImageResult{Image: image, ID: found.ID(), Digest: found.Digest(), Config: found.Config}, nil
}

// Step is an image that would be built. Paths are relative to the project
// directory.
type Step struct {
	Context    string           `json:"context"`
	Dockerfile string           `json:"dockerfile"`
	Tags       []string         `json:"tags"`
	Args       []values.Planned `json:"args,omitempty"`
	Target     string           `json:"target,omitempty"`
	Network    string           `json:"network,omitempty"`
	Push       bool             `json:"push,omitempty"`
	// Labels and Secrets are sorted by their names.
	Labels    []values.Planned `json:"labels,omitempty"`
	Platforms []string         `json:"platforms,omitempty"`
	Secrets   []values.Planned `json:"secrets,omitempty"`
	CacheFrom []string         `json:"cache_from,omitempty"`
	CacheTo   []string         `json:"cache_to,omitempty"`
	// Bases, Syntax and Remotes are named in the Dockerfile. Engine is empty if it
	// listens on a socket of this machine.
	Bases   []string `json:"bases,omitempty"`
	Layouts []string `json:"layouts,omitempty"`
	Syntax  string   `json:"syntax,omitempty"`
	Remotes []string `json:"remotes,omitempty"`
	Engine  string   `json:"engine,omitempty"`
	Outputs []string `json:"outputs,omitempty"`
	Load    bool     `json:"load,omitempty"`
	// Files and Bytes are those of the context as it would be sent, and SHA256
	// is over their names, modes and contents, in hex.
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256,omitempty"`
}

// Kind implements [hostfuncs.Detail].
func (*Step) Kind() string { return "build" }

// ImageStep is an image that would be looked for.
type ImageStep struct {
	Image string `json:"image"`
}

// Kind implements [hostfuncs.Detail].
func (*ImageStep) Kind() string { return "image" }
