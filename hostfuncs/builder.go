package hostfuncs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// ProgressModes are the ways of showing what a build does.
var ProgressModes = buildkit.Modes

// BuildOptions are what the user, and not a provider, says of builds.
type BuildOptions struct {
	// Progress is where a build shows what it does, in one of [ProgressModes].
	Progress io.Writer
	Mode     string
	// Machine is a name for this machine that no other has: builders keep what
	// they were sent under it. Empty has all sent each time.
	Machine string
	NoCache bool // no step is taken from a cache
	Pull    bool // newer base images are looked for
	// Epoch is SOURCE_DATE_EPOCH, empty for none.
	Epoch string
}

// engine builds and pushes images.
type engine interface {
	Build(ctx context.Context, b image.Build, o BuildOptions, mask func(string) string) (image.Image, error)
	Push(ctx context.Context, ref string, progress io.Writer) (digest string, err error)
	Find(ctx context.Context, ref string) (image image.Image, ok bool, err error)
	Close() error
}

// connect finds the engine that the host's environment names.
type connect func(ctx context.Context, getenv func(string) string) (engine, error)

func connectDocker(ctx context.Context, getenv func(string) string) (engine, error) {
	e, err := docker.Connect(ctx, getenv)
	if err != nil {
		return nil, err
	}
	return dockerEngine{e}, nil
}

// dockerEngine builds with the BuildKit of a Docker engine, and where it has
// none, with its first builder.
type dockerEngine struct{ *docker.Engine }

func (e dockerEngine) Build(ctx context.Context, b image.Build, o BuildOptions, mask func(string) string) (image.Image, error) {
	bk, err := buildkit.InEngine(ctx, e.Hijack)
	if _, ok := errors.AsType[*buildkit.UnavailableError](err); ok {
		return e.buildFirst(ctx, b, o)
	}
	if err != nil {
		return image.Image{}, err
	}
	defer bk.Close()
	display, err := buildkit.NewDisplay(o.Progress, o.Mode, mask)
	if err != nil {
		return image.Image{}, err
	}
	defer display.Close()
	return bk.Build(ctx, b, buildkit.Options{Key: o.key(b.Context), Status: display.Show})
}

// buildFirst builds with the engine's first builder.
func (e dockerEngine) buildFirst(ctx context.Context, b image.Build, o BuildOptions) (image.Image, error) {
	if lacks := firstLacks(b); lacks != "" {
		return image.Image{}, &image.Error{Message: "this engine has no BuildKit, which is needed for " + lacks}
	}
	out := o.Progress
	if o.Mode == "quiet" {
		out = io.Discard
	}
	fmt.Fprintln(out, "the engine has no BuildKit: its first builder is used, which takes longer")
	return e.Engine.Build(ctx, b, out)
}

// firstLacks is what a build needs and the first builder hasn't, if anything.
func firstLacks(b image.Build) string {
	switch {
	case len(b.Platforms) > 0:
		return "platforms"
	case len(b.Secrets) > 0:
		return "secrets"
	case len(b.CacheFrom)+len(b.CacheTo) > 0:
		return "a cache in a registry"
	case b.Syntax != "":
		return "a frontend of its own (" + b.Syntax + ")"
	}
	return ""
}

// key names what is sent of a folder. Files are taken to be the same by size,
// mode and time, so that two machines must not have one name.
func (o BuildOptions) key(folder string) string {
	if o.Machine == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(o.Machine + "\x00" + folder))
	return hex.EncodeToString(sum[:])
}
