package dockerfile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Uses is what a build takes from elsewhere, and what its steps ask for. Lists are
// sorted and have no duplicates.
//
// # Notes
//
// An image may have triggers (ONBUILD) that run in builds from it. What they use is
// unknown until it is pulled.
type Uses struct {
	// Bases are the images that may be pulled, by their full references, such as
	// docker.io/library/node:22: those of each needed FROM, COPY --from and
	// RUN --mount=from.
	Bases []string
	// Syntax is the frontend image that reads the Dockerfile instead of BuildKit, in
	// full; empty for BuildKit. With one, the rest is not reliable.
	Syntax string
	// Remotes are what ADD fetches: URLs and git repositories.
	Remotes []string
	// Networks are the values of --network of RUN steps: none or host.
	Networks []string
	// Insecure are the lines of RUN steps with --security=insecure.
	Insecure []int
	// Mounts are the types of mounts of RUN steps: bind, cache, secret, ssh, tmpfs.
	Mounts []string
	// Secrets are the IDs of the secrets that RUN steps mount.
	Secrets []string
	// Runs means that there is a RUN step.
	Runs bool
	// Misread is what builders other than current BuildKit read differently.
	Misread Misread
	// Takes are the copied paths of the context.
	Takes []Take
	// Lines has the first line that names each of Bases, Syntax and Remotes.
	Lines map[string]int
}

// Uses returns what the build of a target uses.
//
// # Errors
//
// Those of [File.Plan].
func (f *File) Uses(o Options) (Uses, error) { return f.UsesForAll(o, []string{o.Platform}) }

// UsesForAll returns what builds for several platforms use together: an image's name
// may contain the platform.
//
// # Errors
//
// Those of [File.Plan].
func (f *File) UsesForAll(o Options, platforms []string) (Uses, error) {
	g := newGatherer()
	for _, o.Platform = range platforms {
		p, err := f.Plan(o)
		if err != nil {
			return Uses{}, err
		}
		g.plan(p)
	}
	return g.sum(), nil
}

// Uses returns what a plan uses, as [File.Uses] does.
func (p *Plan) Uses() Uses {
	g := newGatherer()
	g.plan(p)
	return g.sum()
}

type set map[string]bool

func (s set) sorted() []string { return slices.Sorted(maps.Keys(s)) }

type gatherer struct {
	uses  Uses
	lines map[string]int

	bases, remotes, networks, mounts, secrets set
}

func newGatherer() *gatherer {
	return &gatherer{
		lines: map[string]int{},
		bases: set{}, remotes: set{}, networks: set{}, mounts: set{}, secrets: set{},
	}
}

func (g *gatherer) plan(p *Plan) {
	if g.uses.Syntax = p.Syntax; p.Syntax != "" {
		g.lines[p.Syntax] = p.syntaxLine
	}
	g.uses.Misread = g.uses.Misread.or(p.Misread)
	for _, s := range p.Stages {
		g.base(s.Source, s.Line)
		g.stage(s)
	}
}

func (g *gatherer) sum() Uses {
	u := g.uses
	u.Lines, u.Bases, u.Remotes = g.lines, g.bases.sorted(), g.remotes.sorted()
	u.Networks, u.Mounts, u.Secrets = g.networks.sorted(), g.mounts.sorted(), g.secrets.sorted()
	return u
}

func (g *gatherer) base(s Source, line int) {
	if s.Image != "" {
		g.note(g.bases, s.Image, line)
	}
}

func (g *gatherer) note(in set, name string, line int) {
	in[name] = true
	if _, ok := g.lines[name]; !ok {
		g.lines[name] = line
	}
}

func (g *gatherer) stage(s *Stage) {
	for _, c := range s.Commands {
		for _, source := range c.Sources {
			g.base(source, c.Line)
		}
		for _, remote := range c.Remotes {
			g.note(g.remotes, remote, c.Line)
		}
		if run, ok := c.Command.(*instructions.RunCommand); ok {
			g.run(run, c.Line)
		}
		for _, t := range c.Takes {
			if !slices.ContainsFunc(g.uses.Takes, t.equal) {
				g.uses.Takes = append(g.uses.Takes, t)
			}
		}
		for _, m := range c.Mounts {
			g.mounts[m.Type] = true
			if m.Secret != "" {
				g.secrets[m.Secret] = true
			}
		}
	}
}

func (g *gatherer) run(c *instructions.RunCommand, line int) {
	g.uses.Runs = true
	if network := instructions.GetNetwork(c); network != instructions.NetworkDefault {
		g.networks[network] = true
	}
	if instructions.GetSecurity(c) == instructions.SecurityInsecure && !slices.Contains(g.uses.Insecure, line) {
		g.uses.Insecure = append(g.uses.Insecure, line)
	}
}

// IsDockers reports whether a frontend is Docker's own, which reads a Dockerfile as this
// package does.
func IsDockers(syntax string) bool {
	for _, name := range []string{"docker.io/docker/dockerfile", "docker.io/docker/dockerfile-upstream"} {
		if rest, ok := strings.CutPrefix(syntax, name); ok && rest != "" && strings.ContainsRune(":@", rune(rest[0])) {
			return true
		}
	}
	return false
}

// syntax returns the frontend image that a build argument or one of the file's first
// lines names, and the line.
func (f *File) syntax(args map[string]string) (string, int, error) {
	name, _, location, ok := parser.DetectSyntax(f.text)
	line := firstLine(location)
	if given, isGiven := args["BUILDKIT_SYNTAX"]; isGiven {
		name, _, _ = strings.Cut(strings.TrimSpace(given), " ")
		line, ok = 0, true
	}
	if !ok {
		return "", 0, nil
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "", 0, f.errorAt(line, "syntax %q: %v", name, err)
	}
	return reference.TagNameOnly(named).String(), line, nil
}

// Misread has the lines of a Dockerfile that some builders read differently than
// current BuildKit, the first of each kind, 0 for none. They would not build what was
// decided on.
type Misread struct {
	// Heredoc is a here-document, in any stage. Old builders read its lines as
	// instructions.
	Heredoc int
	// ArgAgain is an ARG without a value before the first FROM, after a line that gave
	// it one. Some builders forget that value.
	ArgAgain int
	// StageAgain is a second stage with the same name. Some builders use the first.
	StageAgain int
	// StageCase names a stage in another case than its FROM. Some builders look for an
	// image instead.
	StageCase int
}

// or returns the lines of m, and those of other where m has none.
func (m Misread) or(other Misread) Misread {
	return Misread{
		Heredoc: cmp.Or(m.Heredoc, other.Heredoc), ArgAgain: cmp.Or(m.ArgAgain, other.ArgAgain),
		StageAgain: cmp.Or(m.StageAgain, other.StageAgain), StageCase: cmp.Or(m.StageCase, other.StageCase),
	}
}

// firstHeredoc returns the line of the first here-document, 0 for none.
func firstHeredoc(instructions []*parser.Node) int {
	for _, n := range instructions {
		if len(n.Heredocs) > 0 {
			return n.StartLine
		}
	}
	return 0
}

// spelledStages returns the names of all stages as written, empty for a stage without
// one: FROM image AS name.
func spelledStages(instructions []*parser.Node) (names []string) {
	for _, n := range instructions {
		if !strings.EqualFold(n.Value, "from") {
			continue
		}
		var words []string
		for word := n.Next; word != nil; word = word.Next {
			words = append(words, word.Value)
		}
		name := ""
		if len(words) == 3 {
			name = words[2]
		}
		names = append(names, name)
	}
	return names
}

// named notes a line that names a stage in another case than its FROM.
func (r *resolver) named(s *Stage, name string, line int) {
	if s.spelled != name {
		r.plan.Misread = r.plan.Misread.or(Misread{StageCase: line})
	}
}
