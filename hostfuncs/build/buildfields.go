package build

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/platforms"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

// buildFields are what a request says of a build besides its context and tags,
// written as a claim has it.
type buildFields struct {
	labels    map[string]string
	platforms []string
	secrets   []variable // by their IDs, sorted
	cacheFrom []cacheRef
	cacheTo   []cacheRef
}

// cacheRef is a cache in a registry.
type cacheRef struct {
	ref  string // full, as capability.Reference gives it
	mode string // for what is sent: min, max, or empty for the engine's own
}

func (c cacheRef) String() string {
	if c.mode != "" {
		return c.ref + ",mode=" + c.mode
	}
	return c.ref
}

// secretID has no character that means something where secrets are mounted.
var secretID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.-]+$`) })

func (w *World) resolveFields(q abi.DockerBuildRequest) (f buildFields, err error) {
	f.labels = q.Labels
	for name, text := range q.Labels {
		if name == "" || strings.ContainsAny(name, "=\x00\r\n") || strings.ContainsRune(text, 0) {
			return f, fieldError("labels", fmt.Errorf("%q is no name and value of a label", name))
		}
	}
	for _, text := range q.Platforms {
		name, err := ParsePlatform(text)
		if err != nil {
			return f, fieldError("platforms", err)
		}
		if !slices.Contains(f.platforms, name) {
			f.platforms = append(f.platforms, name)
		}
	}
	for id, value := range q.Secrets {
		switch {
		case !secretID().MatchString(id):
			return f, fieldError("secrets", fmt.Errorf("%q is no ID of a secret: it has letters, digits, _, . and - alone", id))
		case value.Env == "":
			return f, fieldError("secrets", fmt.Errorf("the value of %s is plain text, and a secret's has to be a reference to a variable", id))
		}
	}
	if f.secrets, err = w.newEnvFiles().values(q.Secrets); err != nil {
		return f, ofField("secrets", err)
	}
	if f.cacheFrom, err = cacheRefs("cache_from", q.CacheFrom); err != nil {
		return f, err
	}
	f.cacheTo, err = cacheRefs("cache_to", q.CacheTo)
	return f, err
}

func fieldError(field string, err error) error {
	return ofField(field, abi.Errorf(abi.CodeInvalid, "docker_build: %s: %v", field, err))
}

// ParsePlatform gives a platform by its usual name: linux/arm64 for linux/aarch64.
func ParsePlatform(text string) (string, error) {
	p, err := platforms.Parse(text)
	if err != nil || !strings.Contains(text, "/") || p.OSVersion != "" || len(p.OSFeatures) > 0 {
		return "", fmt.Errorf("%q is no platform, such as linux/arm64", text)
	}
	return platforms.Format(platforms.Normalize(p)), nil
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

// parseCache reads a reference, or type=registry,ref=REFERENCE, of what is sent
// with mode=min or max.
func parseCache(text string, sent bool) (cacheRef, error) {
	var c cacheRef
	var err error
	if !strings.Contains(text, "=") {
		c.ref, err = capability.Reference(text)
		return c, err
	}
	said := make(map[string]string)
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		known := key == "type" || key == "ref" || key == "mode" && sent && (value == "min" || value == "max")
		if _, twice := said[key]; twice || !known {
			return c, fmt.Errorf("%q is not known of a cache, in %q", part, text)
		}
		said[key] = value
	}
	if said["type"] != "registry" {
		return c, fmt.Errorf("%q is no cache in a registry, such as type=registry,ref=ghcr.io/acme/cache", text)
	}
	c.mode = said["mode"]
	c.ref, err = capability.Reference(said["ref"])
	return c, err
}

func references(caches []cacheRef) []string {
	var refs []string
	for _, c := range caches {
		refs = append(refs, c.ref)
	}
	return refs
}

// claim adds what the fields need. What labels say is for whoever looks at the
// image: no right is needed for it.
func (f buildFields) claim(c *capability.Claim) {
	c.Build.Platforms, c.Build.CacheFrom, c.Build.CacheTo = f.platforms, references(f.cacheFrom), references(f.cacheTo)
	for _, secret := range f.secrets {
		c.Build.Secrets = append(c.Build.Secrets, secret.name)
		secret.value.claim(c)
	}
}

// step is what the fields are in a plan.
func (f buildFields) step(s *Step) {
	s.Platforms = f.platforms
	for _, name := range slices.Sorted(maps.Keys(f.labels)) {
		s.Labels = append(s.Labels, values.Plan(name, abi.Text(f.labels[name])))
	}
	for _, secret := range f.secrets {
		s.Secrets = append(s.Secrets, values.Plan(secret.name, secret.value.Value))
	}
	for _, c := range f.cacheFrom {
		s.CacheFrom = append(s.CacheFrom, c.String())
	}
	for _, c := range f.cacheTo {
		s.CacheTo = append(s.CacheTo, c.String())
	}
}

// build puts the fields into what is built, but for the secrets' values.
func (f buildFields) build(b *image.Build) {
	b.Labels, b.Platforms = f.labels, f.platforms
	b.CacheFrom = references(f.cacheFrom)
	for _, c := range f.cacheTo {
		b.CacheTo = append(b.CacheTo, image.Cache{Ref: c.ref, Mode: c.mode})
	}
}

// secretValues are what steps may mount, by their IDs.
func (w *World) secretValues(f buildFields) (map[string][]byte, error) {
	defer w.tellHidden()
	values := make(map[string][]byte, len(f.secrets))
	for _, secret := range f.secrets {
		text, err := w.value(secret.value)
		if err != nil {
			return nil, ofField("secrets", err)
		}
		values[secret.name] = []byte(text)
	}
	return values, nil
}
