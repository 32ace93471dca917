package capability

import (
	"path"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

var buildKeys = []string{
	"context", "dockerfile", "tags", "args", "target", "network", "push",
	"engine", "bases", "layouts", "syntax", "remotes", "platforms", "secrets", "cache_from", "cache_to", "outputs", "load",
}

// buildRequest reads an image build of a policy test, with the defaults of the operation. A secret's
// value is that of a variable, which is passed.
func (r *reader) buildRequest(request, value *yamldoc.Node, c *Claim) {
	b := &Build{Context: ".", Engine: "docker"}
	c.Build = b
	if !r.problems.KnownKeys(value, buildKeys) {
		return
	}
	r.beside(request, []string{"pass"}, c)
	if n := value.Get("context"); n != nil {
		b.Context = r.path(n)
	}
	b.Dockerfile = path.Join(b.Context, "Dockerfile")
	if n := value.Get("dockerfile"); n != nil {
		b.Dockerfile = r.path(n)
	}
	b.Tags, b.Args = r.texts(value.Get("tags")), r.texts(value.Get("args"))
	b.Target, b.Network = r.textOf(value, "target"), r.textOf(value, "network")
	b.Push, b.Load = r.isTrue(value.Get("push")), r.isTrue(value.Get("load"))
	r.sourceRequest(value, b)
}

// sourceRequest reads what a build takes in besides its context, and where it goes.
func (r *reader) sourceRequest(value *yamldoc.Node, b *Build) {
	if engine := r.textOf(value, "engine"); engine != "" {
		b.Engine, b.EngineAddress, _ = strings.Cut(engine, "+")
	}
	if n := value.Get("syntax"); n != nil {
		b.Syntax = r.reference(n)
	}
	b.Bases = r.references(value.Get("bases"))
	b.CacheFrom, b.CacheTo = r.references(value.Get("cache_from")), r.references(value.Get("cache_to"))
	b.Remotes, b.Platforms = r.texts(value.Get("remotes")), r.texts(value.Get("platforms"))
	b.Secrets, b.Outputs, b.Layouts = r.texts(value.Get("secrets")), r.texts(value.Get("outputs")), r.texts(value.Get("layouts"))
}

// references reads a list of references, in any of the ways to write them.
func (r *reader) references(n *yamldoc.Node) []string {
	var all []string
	for i, text := range r.texts(n) {
		full, err := Reference(text)
		if err != nil && n.Items()[i].Kind() == yamldoc.KindString {
			r.problems.Wrong(n.Items()[i], err.Error(), "")
		}
		all = append(all, full)
	}
	return all
}

func (r *reader) reference(n *yamldoc.Node) string {
	text, ok := r.problems.Text(n)
	full, err := Reference(text)
	if ok && err != nil {
		r.problems.Wrong(n, err.Error(), "")
	}
	return full
}

// buildDetails are what the words of a claim leave out of a build.
func buildDetails(c *Claim) string {
	b := c.Build
	if b == nil {
		return ""
	}
	said := ", by " + b.Dockerfile
	engine := b.Engine
	if engine == "docker" {
		engine = "" // the default
	}
	for _, part := range [...]struct{ name, text string }{
		{"args", strings.Join(b.Args, " ")}, {"target", b.Target}, {"network", b.Network}, {"engine", engine},
	} {
		if part.text != "" {
			said += ", " + part.name + " " + part.text
		}
	}
	return said
}
