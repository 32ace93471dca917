package dockerfile

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/tonistiigi/go-csvvalue"
)

// Mount is what is decided on of a RUN --mount. What else it says, such as the
// ID of a cache, may have variables that are unknown before the build.
type Mount struct {
	Type   string // bind, cache, secret, ssh or tmpfs
	Secret string // the ID of a secret; empty for another type
}

// mountFlags are the --mount flags of each RUN of the stages, whose instructions
// are those of the nodes, in order.
func mountFlags(stages []instructions.Stage, nodes []*parser.Node) map[instructions.Command][]string {
	isFrom := func(n *parser.Node) bool { return strings.EqualFold(n.Value, command.From) }
	flags := map[instructions.Command][]string{}
	at := max(slices.IndexFunc(nodes, isFrom), 0)
	for _, s := range stages {
		at++ // its FROM
		for _, c := range s.Commands {
			flags[c] = mountsOf(nodes[at])
			at++
		}
	}
	return flags
}

// mountsOf are the --mount flags of an instruction, if it is a RUN.
func mountsOf(node *parser.Node) []string {
	if !strings.EqualFold(node.Value, command.Run) {
		return nil
	}
	var mounts []string
	for _, flag := range node.Flags {
		if text, ok := strings.CutPrefix(flag, "--mount="); ok {
			mounts = append(mounts, text)
		}
	}
	return mounts
}

// mount reads the fields of a --mount that are decided on, as BuildKit does:
// https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/instructions/commands_runmount.go.
func (r *resolver) mount(flag string, vars *Vars) (Mount, error) {
	fields, err := csvvalue.Fields(flag, nil)
	if err != nil {
		return Mount{}, err
	}
	words := map[string]string{"type": string(instructions.MountTypeBind)}
	for _, field := range fields {
		key, word, _ := strings.Cut(field, "=")
		switch key = strings.ToLower(key); key {
		case "src":
			key = "source"
		case "dst", "destination":
			key = "target"
		}
		words[key] = word
	}
	kind, err := r.expander.Word(words["type"], vars)
	if err != nil {
		return Mount{}, err
	}
	m := Mount{Type: strings.ToLower(kind)}
	if m.Type == string(instructions.MountTypeSecret) {
		m.Secret, err = r.secretID(words, vars)
	}
	return m, err
}

// secretID is what BuildKit asks for: the source, or else the ID, or else the
// last part of the target.
func (r *resolver) secretID(words map[string]string, vars *Vars) (string, error) {
	for _, key := range []string{"source", "id"} {
		if id, err := r.expander.Word(words[key], vars); err != nil || id != "" {
			return id, err
		}
	}
	target, err := r.expander.Word(words["target"], vars)
	return path.Base(target), err
}
