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

// note reads a step's name. A reference with two digests becomes unknown.
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

// bases are the digests in the names of all steps.
func (w *watch) bases() map[string]string {
	b := bases{}
	for _, s := range w.steps {
		b.note(s.name)
	}
	return b.known()
}

// known are the references with one digest.
func (b bases) known() map[string]string {
	known := make(map[string]string)
	for ref, digest := range b {
		if digest != "" {
			known[ref] = digest
		}
	}
	return known
}
