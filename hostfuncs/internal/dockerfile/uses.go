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

// Uses is what a build takes from elsewhere, and what its steps ask for. Each
// list is sorted and has nothing twice.
//
// # Notes
//
// An image may have triggers of its own (ONBUILD), which run in the build of
// an image that names it in a FROM. What those use is unknown until it is pulled.
type Uses struct {
	// Bases are the images that may be pulled, by their full references, such as
	// docker.io/library/node:22: those of every FROM that the target needs, of
	// COPY --from and of RUN --mount=from.
	Bases []string
	// Syntax is the image that reads the Dockerfile in BuildKit's place, in full;
	// empty for BuildKit itself. With one, the rest is not reliable.
	Syntax string
	// Remotes are what ADD fetches: URLs and git repositories.
	Remotes []string
	// Networks are what RUN steps have with --network: none or host.
	Networks []string
	// Insecure are the lines of RUN steps with --security=insecure.
	Insecure []int
	// Mounts are the kinds of what RUN steps mount: bind, cache, secret, ssh,
	// tmpfs.
	Mounts []string
	// Secrets are the IDs of the secrets that RUN steps mount.
	Secrets []string
	// Runs reports whether there is any RUN step.
	Runs bool
	// Misread is what builders other than current BuildKit read differently.
	Misread Misread
	// Takes are what is copied of the context.
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

// UsesForAll returns what builds for several platforms use together: a platform
// may be a part of an image's name.
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

// IsDockers reports whether a frontend is Docker's own, so that a Dockerfile means
// to it what it means here.
func IsDockers(syntax string) bool {
	for _, name := range []string{"docker.io/docker/dockerfile", "docker.io/docker/dockerfile-upstream"} {
		if rest, ok := strings.CutPrefix(syntax, name); ok && rest != "" && strings.ContainsRune(":@", rune(rest[0])) {
			return true
		}
	}
	return false
}

// syntax is the image that a build argument, or else one of the file's first
// lines, names to read the file, and that line.
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
// current BuildKit, the first of each kind, 0 for none. Those would build
// something else than was decided on.
type Misread struct {
	// Heredoc is a here-document, in any stage. Old builders read its lines as
	// instructions.
	Heredoc int
	// ArgAgain is an ARG before the first FROM that has no value, and had one in a
	// line before. Some forget that one.
	ArgAgain int
	// StageAgain is a second stage of one name. Some take the first.
	StageAgain int
	// StageCase names a stage in another case than its FROM does. To some it is
	// none, but an image.
	StageCase int
}

// or has the lines of m, and those of another where m has none.
func (m Misread) or(other Misread) Misread {
	return Misread{
		Heredoc: cmp.Or(m.Heredoc, other.Heredoc), ArgAgain: cmp.Or(m.ArgAgain, other.ArgAgain),
		StageAgain: cmp.Or(m.StageAgain, other.StageAgain), StageCase: cmp.Or(m.StageCase, other.StageCase),
	}
}

// firstHeredoc is the line of the first instruction that has a here-document, 0
// for none.
func firstHeredoc(instructions []*parser.Node) int {
	for _, n := range instructions {
		if len(n.Heredocs) > 0 {
			return n.StartLine
		}
	}
	return 0
}

// spelledStages are the names of all stages in the case that they were written in,
// empty for a stage without one: FROM image AS name.
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

// named notes where a stage is named in another case than its FROM does.
func (r *resolver) named(s *Stage, name string, line int) {
	if s.spelled != name {
		r.plan.Misread = r.plan.Misread.or(Misread{StageCase: line})
	}
}
