package build

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// BaseLayout is an OCI layout that a base image is taken from.
type BaseLayout struct {
	// Reference is what the Dockerfile calls the image, in full.
	Reference string
	// Dir is absolute. Digest is the image's, empty where the layout has one
	// image.
	Dir    string
	Digest digest.Digest
}

var baseText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([^=]+)=oci:(.+?)(?:@(sha256:[0-9a-f]{64}))?$`) })

// ParseBaseLayout reads REFERENCE=oci:DIR, or with a digest of the image behind
// it, oci:DIR@sha256:<64 hexadecimal digits>.
func ParseBaseLayout(text string) (BaseLayout, error) {
	m := baseText().FindStringSubmatch(text)
	if m == nil {
		return BaseLayout{}, fmt.Errorf("%q is no base image: use REFERENCE=oci:DIR", text)
	}
	ref, err := capability.Reference(m[1])
	if err != nil {
		return BaseLayout{}, err
	}
	dir, err := filepath.Abs(m[2])
	return BaseLayout{Reference: ref, Dir: dir, Digest: digest.Digest(m[3])}, err
}

// storedBase is an image of a layout that a build takes.
type storedBase struct {
	image.Stored
	// layout is oci:DIR, as a claim has it.
	layout string
}

// takeLayouts finds the images that the user says are in layouts.
func (w *World) takeLayouts(p *buildPlan) error {
	p.stored = make(map[string]storedBase)
	for _, base := range w.Builds.Bases {
		if !slices.Contains(p.uses.Bases, base.Reference) {
			return abi.Errorf(abi.CodeInvalid, "docker_build: base: the Dockerfile %s takes no image %s, but %s",
				quotePath(p.dockerfile.rel), base.Reference, listed(p.uses.Bases))
		}
		dir, err := resolveLinks(base.Dir)
		if err != nil {
			return abi.Errorf(abi.CodeInvalid, "docker_build: base: %v", err)
		}
		_, pinned, _ := strings.Cut(base.Reference, "@")
		found, err := image.FindStored(dir, cmp.Or(base.Digest, digest.Digest(pinned)))
		if err == nil && pinned != "" && found.Digest.String() != pinned {
			err = fmt.Errorf("its image is %s", found.Digest)
		}
		if err != nil {
			return abi.Errorf(abi.CodeInvalid, "docker_build: base %s: oci:%s: %v", base.Reference, base.Dir, err)
		}
		p.stored[base.Reference] = storedBase{found, Output{Layout: true, Path: w.publicPath(dir)}.String()}
	}
	return nil
}

// listed are references for a message, or none.
func listed(refs []string) string {
	if len(refs) == 0 {
		return "none"
	}
	return strings.Join(refs, ", ")
}

// publicPath is an absolute path as a claim has it: what is in the project by
// its path there.
func (w *World) publicPath(abs string) string {
	if rel, err := filepath.Rel(w.Root, abs); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return abs
}

// bases are the images that are decided on. One from a layout has its digest.
func (p buildPlan) bases() []string {
	bases := slices.Clone(p.uses.Bases)
	for i, ref := range bases {
		if stored, ok := p.stored[ref]; ok && !strings.Contains(ref, "@") {
			bases[i] = ref + "@" + stored.Digest.String()
		}
	}
	return bases
}

// pulled are the images that the builder itself finds; there may be none.
func (p buildPlan) pulled() []string {
	return slices.DeleteFunc(append([]string{}, p.uses.Bases...), func(ref string) bool {
		_, ok := p.stored[ref]
		return ok
	})
}

// layouts are what images are taken from, as a claim has it.
func (p buildPlan) layouts() []string {
	var layouts []string
	for _, base := range p.stored {
		layouts = append(layouts, base.layout)
	}
	slices.Sort(layouts)
	return slices.Compact(layouts)
}
