package dockerfile

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/tonistiigi/go-csvvalue"
)

// Take is a source of a COPY or ADD in the context.
type Take struct {
	Name string // COPY or ADD
	Line int
	// Path is relative to the context and may have patterns; "." is all. Any means that
	// it is unknown before the build.
	Path string
	Any  bool
	// Exclude are the patterns of --exclude.
	Exclude []string
}

func (t Take) equal(other Take) bool {
	return t.Name == other.Name && t.Line == other.Line && t.Path == other.Path && t.Any == other.Any && slices.Equal(t.Exclude, other.Exclude)
}

// takes returns the sources of an instruction whose words are expanded.
func takes(c Command) []Take {
	switch known := c.again.(type) {
	case *instructions.AddCommand:
		return takesOf(Take{Name: "ADD", Line: c.Line}, known.SourcePaths, known.ExcludePatterns)
	case *instructions.CopyCommand:
		if known.From == "" {
			return takesOf(Take{Name: "COPY", Line: c.Line}, known.SourcePaths, known.ExcludePatterns)
		}
	}
	return nil
}

func takesOf(t Take, sources, exclude []string) []Take {
	// BuildKit does not expand variables in patterns.
	t.Exclude = exclude
	var all []Take
	for _, source := range sources {
		if remote, err := isRemote(source); remote || err != nil {
			continue
		}
		if !known(source) {
			all = append(all, Take{Name: t.Name, Line: t.Line, Any: true})
			continue
		}
		if t.Path = path.Join("/", source)[1:]; t.Path == "" {
			t.Path = "."
		}
		all = append(all, t)
	}
	return all
}

// Takes reports whether the patterns of a source match a path, given by its names, or a
// directory above it. A directory is also taken if something in it may be.
func (t Take) Takes(patterns, names []string, isDir bool) bool {
	for i := range min(len(patterns), len(names)) {
		if strings.Contains(patterns[i], "**") {
			return true
		}
		if ok, err := path.Match(patterns[i], names[i]); err != nil || !ok {
			return false
		}
	}
	if len(names) <= len(patterns) {
		return len(names) == len(patterns) || isDir
	}
	return !t.excludes(path.Join(names[len(patterns):]...), isDir)
}

// excludes reports whether a path below the source is excluded.
func (t Take) excludes(below string, isDir bool) bool {
	if len(t.Exclude) == 0 {
		return false
	}
	m, err := patternmatcher.New(t.Exclude)
	if err != nil || isDir && m.Exclusions() {
		return false
	}
	excluded, err := m.MatchesOrParentMatches(below)
	return err == nil && excluded
}

// Mount has the fields of a RUN --mount that are decided on. Others, such as the ID of
// a cache, may contain variables that are unknown before the build.
type Mount struct {
	Type   string // bind, cache, secret, ssh or tmpfs
	Secret string // the ID of a secret; empty for another type
}

// mountFlags returns the --mount flags of each RUN of the stages. The nodes are their
// instructions, in order.
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

// mountsOf returns the --mount flags of an instruction, if it is a RUN.
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

// secretID returns the ID that BuildKit asks for: the source, else the ID, else the
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
