// Package embedded builds images with no daemon, no engine and no root, from
// Dockerfiles that run nothing: files are copied, and an image's settings set,
// as BuildKit would do it. The same inputs give the same image on any machine.
package embedded

import (
	"cmp"
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// Options are those of a build besides the [image.Build].
type Options struct {
	Name     string            // of the Dockerfile, for errors; empty is its file's name
	Text     []byte            // the Dockerfile, as it was decided on
	Labels   map[string]string // to set beside those of the Dockerfile
	Platform string            // such as linux/arm64; empty is Linux on this machine's processor
	// Epoch is the time of files without one, and the latest time of all others.
	// Nil is the build's argument SOURCE_DATE_EPOCH, or else 1970.
	Epoch *time.Time
	Base  Base   // finds the images that the Dockerfile names; nil refuses them
	Temp  string // the directory for temporary files; empty is the system's
	// Step gets each instruction as it begins, such as "[2/3] COPY . /app", as
	// text that is safe to print.
	Step func(string)
}

// Base finds an image by its full reference, for a platform. What it gives has
// to check the digest of what it reads, as those of go-containerregistry do.
type Base func(ctx context.Context, ref string, platform v1.Platform) (Found, error)

// Found is an image for a platform.
type Found struct {
	Image v1.Image
	// Digest is that of the reference, which may be an index of images
	// for several platforms; empty when it is not known.
	Digest string
}

// Build builds an image from a context, which it reads by [image.Open]. The
// image must be closed: it is in files below o.Temp until then, and ctx
// bounds what it does with them as well.
//
// # Notes
//
// COPY --link is COPY, as with a BuildKit that cannot merge layers. What is not
// BuildKit's: a file of the context is 0644, or 0755 if its owner may execute
// it, and has no other time than o.Epoch; names that are one file in the
// context are several in the image. So the image is the same from any checkout.
//
// # Errors
//
// A [*dockerfile.Error], with the line, for what cannot be built; what needs an
// engine is found before anything is read or pulled, as [Can] finds it. That of
// ctx when it is done. After an error there is nothing left in o.Temp.
func Build(ctx context.Context, b image.Build, o Options) (_ *Image, err error) {
	if err := b.Check(); err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = filepath.Base(b.Dockerfile)
	}
	on, err := On(dockerfile.Options{Target: b.Target, Args: b.Args, Platform: o.Platform})
	if err != nil {
		return nil, err
	}
	file, err := dockerfile.Parse(o.Name, o.Text)
	if err != nil {
		return nil, err
	}
	plan, err := can(file, on)
	if err != nil {
		return nil, err
	}
	b.Takes = append([]dockerfile.Take{}, plan.Uses().Takes...)
	source, err := image.Open(b)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	store, err := newStore(ctx, o.Temp)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			store.remove()
		}
	}()
	builder, err := newBuilder(store, plan, source, o, on.Platform)
	if err != nil {
		return nil, err
	}
	return builder.run()
}

// wayOut is the advice for what the embedded builder cannot build.
const wayOut = "start Docker, or use --engine buildkit+tcp://HOST:PORT"

// Can returns nil if [Build] can build a Dockerfile, or else an error with the
// line that needs an engine. Nothing is read or pulled, so [Build] may still fail
// on the content of a base image or an archive.
func Can(f *dockerfile.File, o dockerfile.Options) error {
	o, err := On(o)
	if err == nil {
		_, err = can(f, o)
	}
	return err
}

// On returns the options of an embedded build. Nothing runs, so its build platform
// is that of the image: the result must not depend on the machine. The default is
// Linux on this machine's processor.
func On(o dockerfile.Options) (dockerfile.Options, error) {
	name := cmp.Or(o.Platform, "linux/"+runtime.GOARCH)
	o.Platform, o.BuildPlatform = "", ""
	p, err := platforms.Parse(name)
	if err != nil {
		return o, err
	}
	if p = platforms.Normalize(p); p.OS != "linux" {
		return o, errNotLinux
	}
	o.Platform = platforms.FormatAll(p)
	o.BuildPlatform = o.Platform
	return o, nil
}

func can(f *dockerfile.File, o dockerfile.Options) (*dockerfile.Plan, error) {
	p, err := f.Plan(o)
	if err != nil {
		return nil, err
	}
	if p.Syntax != "" && !dockerfile.IsDockers(p.Syntax) {
		return nil, p.Errorf(1, "the Dockerfile has a frontend of its own, %s, which needs an engine: %s", p.Syntax, wayOut)
	}
	for _, s := range p.Stages {
		for _, c := range s.Commands {
			if what := needsEngine(c); what != "" {
				return nil, p.Errorf(c.Line, "%s needs an engine: %s", what, wayOut)
			}
		}
	}
	return p, nil
}

// needsEngine is the part of an instruction that needs an engine, if any.
func needsEngine(c dockerfile.Command) string {
	switch known := c.Command.(type) {
	case *instructions.RunCommand:
		return "RUN"
	case *instructions.OnbuildCommand:
		return "ONBUILD"
	case *instructions.AddCommand:
		switch {
		case len(c.Remotes) > 0:
			return "ADD of " + c.Remotes[0]
		case known.Checksum != "":
			return "ADD --checksum"
		case known.KeepGitDir != nil:
			return "ADD --keep-git-dir"
		case symbolic(known.Chmod):
			return "--chmod=" + known.Chmod
		}
	case *instructions.CopyCommand:
		switch {
		case known.Parents:
			return "COPY --parents"
		case symbolic(known.Chmod):
			return "--chmod=" + known.Chmod
		}
	}
	return ""
}

// symbolic reports whether a mode is one like u+x.
func symbolic(mode string) bool {
	return strings.ContainsAny(mode, "+-=") && !strings.Contains(mode, "$")
}
