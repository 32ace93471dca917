package build

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

// request is a request of docker_build with the user's options applied.
// References and platforms are written as a claim has them.
type request struct {
	options    Options
	own        []string
	context    files.Place
	dockerfile files.Place
	named      struct{ context, dockerfile string } // as the request names them
	tags       []string
	args       map[string]string
	labels     map[string]string
	target     string
	network    string
	push       bool
	platforms  []string
	secrets    []values.Variable // by their IDs, sorted
	cacheFrom  []cacheRef
	cacheTo    []cacheRef
	// outputNames are the outputs as a claim has them.
	outputNames []string
}

// readRequest rejects what no policy could allow.
func (i *Images) readRequest(q abi.DockerBuildRequest) (r request, err error) {
	if err := checkTexts(q); err != nil {
		return r, err
	}
	r = request{
		options: i.options, own: i.own, tags: slices.Concat(q.Tags, i.options.Tags), args: q.Args, labels: q.Labels,
		target: q.Target, network: q.Network, push: q.Push,
	}
	if r.options.Outputs, r.outputNames, err = i.resolveOutputs(); err != nil {
		return r, err
	}
	platforms := i.options.Platforms
	if len(platforms) == 0 {
		platforms = q.Platforms
	}
	for _, text := range platforms {
		name, err := ParsePlatform(text)
		if err != nil {
			return r, fieldError("platforms", err)
		}
		if !slices.Contains(r.platforms, name) {
			r.platforms = append(r.platforms, name)
		}
	}
	if r.secrets, err = i.env.Request().Variables(q.Secrets); err != nil {
		return r, hostfuncs.OfField("secrets", err)
	}
	if r.cacheFrom, err = cacheRefs("cache_from", q.CacheFrom); err != nil {
		return r, err
	}
	if r.cacheTo, err = cacheRefs("cache_to", q.CacheTo); err != nil {
		return r, err
	}
	return r, i.locateFiles(&r, q)
}

// ParsePlatform reads a platform and returns its usual name: linux/arm64 for
// linux/aarch64.
func ParsePlatform(text string) (string, error) {
	p, err := platforms.Parse(text)
	if err != nil || !strings.Contains(text, "/") || p.OSVersion != "" || len(p.OSFeatures) > 0 {
		return "", fmt.Errorf("%q is not a platform, such as linux/arm64", text)
	}
	return platforms.Format(platforms.Normalize(p)), nil
}

// checkTexts checks the fields that are taken as they are.
func checkTexts(q abi.DockerBuildRequest) error {
	if len(q.Tags) == 0 {
		return abi.Errorf(abi.CodeInvalid, "docker_build: tags: at least one reference is required")
	}
	for _, tag := range q.Tags {
		if _, err := image.ParseTag(tag); err != nil {
			return abi.Errorf(abi.CodeInvalid, "docker_build: %v", err)
		}
	}
	if !isNetwork(q.Network) {
		return abi.Errorf(abi.CodeInvalid, "docker_build: unknown network %q: expected none, default or host", q.Network)
	}
	for name, text := range q.Labels {
		if name == "" || strings.ContainsAny(name, "=\x00\r\n") || strings.ContainsRune(text, 0) {
			return fieldError("labels", fmt.Errorf("%q is not a valid label", name))
		}
	}
	for id, value := range q.Secrets {
		switch {
		case !isSecretID(id):
			return fieldError("secrets", fmt.Errorf("%q is not a secret ID: use letters, digits, _, . and -", id))
		case value.Env == "":
			return fieldError("secrets", fmt.Errorf("the value of %s is plain text: expected a reference to a variable", id))
		}
	}
	return nil
}

func fieldError(field string, err error) error {
	return hostfuncs.OfField(field, abi.Errorf(abi.CodeInvalid, "docker_build: %s: %v", field, err))
}

// isNetwork reports whether the steps of a build can have a network of that name.
func isNetwork(name string) bool {
	return name == "" || name == "none" || name == "default" || name == "host"
}

// isSecretID excludes the characters with a meaning where secrets are mounted.
func isSecretID(id string) bool {
	return id != "" && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == ""
}

// resolveOutputs follows the links on the way to each output, and returns the
// names that a claim has.
func (i *Images) resolveOutputs() (outputs []Output, names []string, err error) {
	for _, out := range i.options.Outputs {
		if out.Path, err = files.ResolveLinks(out.Path); err != nil {
			return nil, nil, abi.Errorf(abi.CodeInvalid, "docker_build: output: %v", err)
		}
		outputs = append(outputs, out)
		out.Path = i.claimedPath(out.Path)
		names = append(names, out.String())
	}
	return outputs, names, nil
}

// claimedPath is an absolute path as a claim has it: relative to the project if
// it is in there.
func (i *Images) claimedPath(abs string) string {
	if rel, inside := i.project.Rel(abs); inside {
		return rel
	}
	return abs
}

func (i *Images) locateFiles(r *request, q abi.DockerBuildRequest) (err error) {
	r.named.context, r.named.dockerfile = q.Context, q.Dockerfile
	if q.Dockerfile == "" {
		r.named.dockerfile = path.Join(q.Context, "Dockerfile")
	}
	if r.context, err = i.project.Locate(r.named.context); err != nil {
		return hostfuncs.OfField("context", err)
	}
	if r.dockerfile, err = i.project.Locate(r.named.dockerfile); err != nil {
		return hostfuncs.OfField("dockerfile", err)
	}
	return nil
}

// checkFiles says why the context or the Dockerfile cannot be used.
func (r request) checkFiles() error {
	switch {
	case r.context.Missing != nil:
		return hostfuncs.OfField("context", r.context.Missing)
	case !r.context.Info.IsDir():
		return hostfuncs.OfField("context", abi.Errorf(abi.CodeInvalid, "the build context %s is not a directory", strconv.Quote(r.named.context)))
	case r.dockerfile.Missing != nil:
		return &abi.Error{
			Code: abi.CodeNotFound, Message: "there is no Dockerfile at " + strconv.Quote(r.named.dockerfile),
			Hint: "create it, or name another one in the configuration",
		}
	case !r.dockerfile.Info.Mode().IsRegular():
		return abi.Errorf(abi.CodeInvalid, "the Dockerfile %s is not a regular file", strconv.Quote(r.named.dockerfile))
	}
	return nil
}

// files is a build with nothing but the files that it reads.
func (r request) files() image.Build {
	return image.Build{
		Context: r.context.Abs, Dockerfile: r.dockerfile.Abs, ContextInfo: r.context.Info, DockerfileInfo: r.dockerfile.Info, Without: r.own,
	}
}

// arguments are the values for ARGs: those of the request, and the user's own
// SOURCE_DATE_EPOCH, which needs no rule.
func (r request) arguments() map[string]string {
	if r.options.Epoch == "" {
		return r.args
	}
	all := map[string]string{}
	maps.Copy(all, r.args)
	all["SOURCE_DATE_EPOCH"] = r.options.Epoch
	return all
}

// targets are the platforms to build for; an empty one is the engine's own.
func (r request) targets() []string {
	if len(r.platforms) == 0 {
		return []string{""}
	}
	return r.platforms
}

func (r request) dockerfileOptions() dockerfile.Options {
	return dockerfile.Options{Target: r.target, Args: r.arguments(), Platform: r.targets()[0]}
}

// cacheRef is a cache in a registry.
type cacheRef struct {
	ref  string // full, as capability.Reference returns it
	mode string // of an exported cache: min, max, or empty for the engine's default
}

func (c cacheRef) String() string {
	if c.mode != "" {
		return c.ref + ",mode=" + c.mode
	}
	return c.ref
}

func cacheRefs(field string, texts []string) ([]cacheRef, error) {
	var refs []cacheRef
	for _, text := range texts {
		ref, err := parseCache(text, field == "cache_to")
		if err != nil {
			return nil, fieldError(field, err)
		}
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs, nil
}

// parseCache reads a reference, or type=registry,ref=REFERENCE, with mode=min or
// mode=max for an exported cache.
func parseCache(text string, export bool) (cacheRef, error) {
	var c cacheRef
	var err error
	if !strings.Contains(text, "=") {
		c.ref, err = capability.Reference(text)
		return c, err
	}
	fields := make(map[string]string)
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		known := key == "type" || key == "ref" || key == "mode" && export && (value == "min" || value == "max")
		if _, duplicate := fields[key]; duplicate || !known {
			return c, fmt.Errorf("unknown or duplicate field %q in the cache %q", part, text)
		}
		fields[key] = value
	}
	if fields["type"] != "registry" {
		return c, fmt.Errorf("%q is not a cache in a registry, such as type=registry,ref=ghcr.io/acme/cache", text)
	}
	c.mode = fields["mode"]
	c.ref, err = capability.Reference(fields["ref"])
	return c, err
}

func references(caches []cacheRef) []string {
	var refs []string
	for _, c := range caches {
		refs = append(refs, c.ref)
	}
	return refs
}
