package buildkit

import (
	"context"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/util/entitlements"
	"github.com/tonistiigi/fsutil"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// Options are the options of a build besides the [image.Build].
type Options struct {
	// Key identifies a project on a machine. Files that were sent under it are not sent
	// again. They count as unchanged by size, mode and time.
	Key string
	// Push pushes the image; an engine's own BuildKit cannot.
	Push bool
	// Archives receive the image for `docker load`, and Layouts as a tar of an OCI
	// layout; not from an engine's own BuildKit.
	Archives, Layouts []func() (io.WriteCloser, error)
	// Auth answers for the user's credentials, nil for none.
	Auth Auth
	// Status gets the progress. It is called by one goroutine.
	Status func(*client.SolveStatus)
}

// Build builds an image. Changed files of the context are sent as they are read, so
// memory does not grow with them.
//
// # Errors
//
// An [*image.Error] if the builder refuses the build or a step fails, an
// [*UnavailableError] if it is out of reach, ctx's error once it is done, which ends the
// current step. A file of the context that cannot be read, or changes meanwhile, is an
// error with its name.
func (b *Builder) Build(ctx context.Context, what image.Build, o Options) (image.Image, error) {
	if err := what.Check(); err != nil {
		return image.Image{}, err
	}
	if len(what.Stored) > 0 {
		if err := b.takesStored(); err != nil {
			return image.Image{}, err
		}
	}
	c, err := image.Open(what)
	if err != nil {
		return image.Image{}, err
	}
	defer c.Close()
	building, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	files := &contextFiles{context: c, sizes: map[string]int64{}, stop: stop}
	opt, err := b.options(what, files, o)
	if err != nil {
		return image.Image{}, err
	}
	watch := newWatch(o.Status)
	answer, err := b.client.Solve(building, nil, opt, watch.updates)
	watch.wait()
	switch {
	case ctx.Err() != nil:
		return image.Image{}, ctx.Err()
	case files.failure() != nil:
		return image.Image{}, files.failure()
	case err != nil:
		return image.Image{}, b.failure(what, err, watch)
	}
	return image.Image{Identity: identity(answer.ExporterResponse, b.engine), Bases: watch.bases()}, nil
}

// identity returns the digests in a builder's response. Its digest is that of a manifest
// or an index, or of the configuration in an engine without the containerd image store.
// Docker 20.10 reports nothing else.
func identity(response map[string]string, engine bool) image.Identity {
	digest, config := response[exptypes.ExporterImageDigestKey], response[exptypes.ExporterImageConfigDigestKey]
	if engine && config == "" && response[exptypes.ExporterImageDescriptorKey] == "" {
		config = digest
	}
	i := image.Identity{Config: config}
	if digest != "" && digest != config {
		i.Manifests = []string{digest}
	}
	if engine {
		i.Engine = digest
	}
	return i
}

func (b *Builder) options(what image.Build, files *contextFiles, o Options) (client.SolveOpt, error) {
	name := filepath.Base(what.Dockerfile)
	// The ignore file in effect: the engine would look for another one.
	dockerfile := texts{name: what.Text, name + ".dockerignore": append(slices.Clone(files.context.Ignore()), "\n#\n"...)}
	opt := client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: attributes(what, name),
		LocalMounts:   map[string]fsutil.FS{"context": files, "dockerfile": dockerfile},
		SharedKey:     o.Key,
		Exports:       b.exports(what, o),
		CacheImports:  imports(what.CacheFrom),
		CacheExports:  cacheExports(what.CacheTo),
		Session:       []session.Attachable{secretsprovider.FromMap(what.Secrets)},
		SourcePolicy:  sourcePolicy(what),
	}
	if o.Auth != nil {
		opt.Session = append(opt.Session, o.Auth)
	}
	if what.Network == "host" || what.HostSteps {
		opt.AllowedEntitlements = []string{entitlements.EntitlementNetworkHost.String()}
	}
	err := addStored(&opt, what.Stored)
	return opt, err
}

// attributes returns the options of the frontend, see
// https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerui/config.go.
func attributes(what image.Build, dockerfile string) map[string]string {
	attrs := map[string]string{"filename": dockerfile}
	for name, value := range what.Args {
		attrs["build-arg:"+name] = value
	}
	for name, value := range what.Labels {
		attrs["label:"+name] = value
	}
	for name, value := range map[string]string{
		"target": what.Target, "platform": strings.Join(what.Platforms, ","),
	} {
		if value != "" {
			attrs[name] = value
		}
	}
	if what.Network == "none" || what.Network == "host" {
		attrs["force-network-mode"] = what.Network
	}
	if what.NoCache {
		attrs["no-cache"] = ""
	}
	if what.Pull {
		attrs["image-resolve-mode"] = "pull"
	}
	if what.Syntax == "" {
		// With a command line, the frontend ignores the Dockerfile's syntax line.
		attrs["cmdline"] = ""
		delete(attrs, "build-arg:BUILDKIT_SYNTAX")
	}
	return attrs
}

// exports returns the destinations of the image.
func (b *Builder) exports(what image.Build, o Options) []client.ExportEntry {
	// With the OCI's media types an image is the same at each destination: older
	// builders use Docker's for some.
	names := map[string]string{string(exptypes.OptKeyOCITypes): "true"}
	if len(what.Tags) > 0 {
		names["name"] = strings.Join(what.Tags, ",")
	}
	if b.engine {
		return []client.ExportEntry{{Type: "moby", Attrs: names}}
	}
	if what.Epoch != "" {
		names["rewrite-timestamp"] = "true"
	}
	var exports []client.ExportEntry
	add := func(kind string, attrs map[string]string, to func() (io.WriteCloser, error)) {
		all := maps.Clone(names)
		maps.Copy(all, attrs)
		entry := client.ExportEntry{Type: kind, Attrs: all}
		if to != nil {
			entry.Output = func(map[string]string) (io.WriteCloser, error) { return to() }
		}
		exports = append(exports, entry)
	}
	for _, to := range o.Archives {
		add(client.ExporterDocker, nil, to)
	}
	for _, to := range o.Layouts {
		add(client.ExporterOCI, nil, to)
	}
	if o.Push {
		add(client.ExporterImage, map[string]string{"push": "true"}, nil)
	}
	if len(exports) == 0 {
		add(client.ExporterImage, nil, nil)
	}
	return exports
}

func imports(refs []string) []client.CacheOptionsEntry {
	var entries []client.CacheOptionsEntry
	for _, ref := range refs {
		entries = append(entries, client.CacheOptionsEntry{Type: "registry", Attrs: map[string]string{"ref": ref}})
	}
	return entries
}

func cacheExports(caches []image.Cache) []client.CacheOptionsEntry {
	var entries []client.CacheOptionsEntry
	for _, c := range caches {
		attrs := map[string]string{"ref": c.Ref}
		if c.Mode != "" {
			attrs["mode"] = c.Mode
		}
		entries = append(entries, client.CacheOptionsEntry{Type: "registry", Attrs: attrs})
	}
	return entries
}
