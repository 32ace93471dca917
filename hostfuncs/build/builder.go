package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// ProgressModes are the ways of showing what a build does.
var ProgressModes = buildkit.Modes

// BuildOptions are what the user, and not a provider, says of builds.
type BuildOptions struct {
	Engine Engine
	// Progress is where a build shows what it does, in one of [ProgressModes].
	Progress io.Writer
	Mode     string
	// Describe has the Docker engine that builds described in a line, for which it
	// is asked.
	Describe bool
	// Machine is a name for this machine that no other has: builders keep what
	// they were sent under it. Empty has all sent each time.
	Machine string
	// Tags are further references for the image, and Platforms what it is for,
	// in place of what a provider says; none leaves that.
	Tags, Platforms []string
	// Load has what another builder built put into the Docker engine.
	Load bool
	// Outputs are files and directories that get the image.
	Outputs []Output
	// Bases are OCI layouts that base images are taken from.
	Bases   []BaseLayout
	NoCache bool // no step is taken from a cache
	Pull    bool // newer base images are looked for
	// Epoch is SOURCE_DATE_EPOCH, empty for none.
	Epoch string
}

// job is a build with where its result goes.
type job struct {
	image.Build
	push    bool
	options BuildOptions
	mask    func(string) string
}

// engine builds images.
type engine interface {
	// Build builds an image, and sends it to where it should go.
	Build(ctx context.Context, j job) (image.Image, error)
	Close() error
}

// finder is an engine that keeps images.
type finder interface {
	Find(ctx context.Context, ref string) (found image.Identity, ok bool, err error)
	Close() error
}

// connect finds an engine.
type connect func(ctx context.Context, w *World, which Engine) (engine, error)

func connectEngine(ctx context.Context, w *World, which Engine) (engine, error) {
	switch which.Kind {
	case EngineBuildKit:
		return w.dial(ctx, which)
	case EngineEmbedded:
		return embeddedEngine{w}, nil
	}
	return w.connectDocker(ctx)
}

func (w *World) connectDocker(ctx context.Context) (*dockerEngine, error) {
	e, err := docker.Connect(ctx, w.getenv)
	if err != nil {
		return nil, err
	}
	e.Credentials = w.registries()
	return &dockerEngine{e, w}, nil
}

func (w *World) dial(ctx context.Context, which Engine) (*daemon, error) {
	var tls buildkit.TLS
	if which.Certs != "" {
		tls = buildkit.TLS{
			CA: filepath.Join(which.Certs, "ca.pem"), Cert: filepath.Join(which.Certs, "cert.pem"), Key: filepath.Join(which.Certs, "key.pem"),
		}
	}
	b, err := buildkit.Dial(ctx, which.Address, tls)
	if err != nil {
		return nil, err
	}
	return &daemon{builder: b, world: w, elsewhere: which.Certs != ""}, nil
}

// show builds with BuildKit, and shows it.
func (j job) show(ctx context.Context, b *buildkit.Builder, o buildkit.Options) (image.Image, error) {
	display, err := buildkit.NewDisplay(j.options.Progress, j.options.Mode, j.mask)
	if err != nil {
		return image.Image{}, err
	}
	defer display.Close()
	o.Key, o.Status = j.options.key(j.Context), display.Show
	built, err := b.Build(ctx, j.Build, o)
	return built, seen(err, display.Streams())
}

// seen notes in the error of a failed step whether the user has seen what it
// printed.
func seen(err error, shown bool) error {
	if failed, ok := errors.AsType[*image.Error](err); ok {
		failed.Shown = shown
	}
	return err
}

// key names what is sent of a directory. Files are taken to be the same by size,
// mode and time, so that two machines must not have one name.
func (o BuildOptions) key(directory string) string {
	if o.Machine == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(o.Machine + "\x00" + directory))
	return hex.EncodeToString(sum[:])
}

// lines is where an engine shows the progress of something that has lines of
// text alone.
func (j job) lines(what string) io.Writer {
	switch j.options.Mode {
	case "quiet":
		return io.Discard
	case "rawjson":
		return buildkit.Lines(j.options.Progress, what, j.mask)
	}
	return maskedLines{j.options.Progress, j.mask}
}

// maskedLines masks lines of text, each in a Write of its own: a terminal is
// written to directly.
type maskedLines struct {
	to   io.Writer
	mask func(string) string
}

func (m maskedLines) Write(p []byte) (int, error) {
	_, err := io.WriteString(m.to, m.mask(string(p)))
	return len(p), err
}

// daemon builds with a BuildKit daemon, which does the sending itself.
type daemon struct {
	builder   *buildkit.Builder
	world     *World
	elsewhere bool // it is not on this machine
}

func (d *daemon) Close() error { return d.builder.Close() }

func (d *daemon) Build(ctx context.Context, j job) (image.Image, error) {
	o := buildkit.Options{Push: j.push, Auth: d.world.authOf(j, d.elsewhere)}
	var parcels []*delivery
	for _, out := range j.options.Outputs {
		parcels = append(parcels, out.deliver(j.Tags))
	}
	var into *dockerEngine
	if j.options.Load {
		var err error
		if into, err = d.world.connectDocker(ctx); err != nil {
			return image.Image{}, err
		}
		defer into.Close()
		parcels = append(parcels, &delivery{take: func(r io.Reader) (parcel, error) { return parcel{goods: loaded{}}, into.Load(ctx, r) }})
	}
	for _, p := range parcels {
		if p.layout {
			o.Layouts = append(o.Layouts, p.open)
		} else {
			o.Archives = append(o.Archives, p.open)
		}
	}
	if len(parcels) == 0 && !j.push {
		fmt.Fprintln(j.lines("where the image goes"), "the image stays in the daemon's cache alone: --push, --load or --output says where else it goes")
	}
	built, err := j.show(ctx, d.builder, o)
	for _, p := range parcels {
		err = p.finish(err)
	}
	if err != nil {
		return built, err
	}
	for _, p := range parcels {
		built.Identity = p.taken.written(built.Identity)
	}
	if into != nil {
		built.Identity, err = into.wantLoaded(ctx, built.Identity)
	}
	return built, err
}
