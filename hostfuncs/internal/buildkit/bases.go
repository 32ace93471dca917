package buildkit

import (
	"regexp"
	"sync"
)

// fromStep is a step that takes an image, as the frontend names it once it has
// looked up the image's digest. The steps that run something or copy have the
// name of their instruction there, and no name of a stage or platform has a "]".
var fromStep = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:\[[^\]]*\] )?FROM (\S+)@(sha256:[0-9a-f]{64})$`) })

// bases are the digests of images that the steps took, by their references.
type bases map[string]string

// note looks at a step's name. A reference that stood for two images stands for
// none that is known.
func (b bases) note(name string) {
	m := fromStep().FindStringSubmatch(name)
	if m == nil {
		return
	}
	ref, digest := m[1], m[2]
	if known, ok := b[ref]; ok && known != digest {
		digest = ""
	}
	b[ref] = digest
}

// bases are what the steps' names came to, once all was read.
func (w *watch) bases() map[string]string {
	b := bases{}
	for _, s := range w.steps {
		b.note(s.name)
	}
	return b.known()
}

// known are those that are to be told.
func (b bases) known() map[string]string {
	known := make(map[string]string)
	for ref, digest := range b {
		if digest != "" {
			known[ref] = digest
		}
	}
	return known
}
