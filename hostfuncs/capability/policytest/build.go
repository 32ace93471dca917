package policytest

import (
	"path"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

var buildKeys = []string{
	"context", "dockerfile", "tags", "args", "target", "network", "push",
	"engine", "bases", "layouts", "syntax", "remotes", "platforms", "secrets", "cache_from", "cache_to", "outputs", "load",
}

// build reads an image build, with the defaults of the operation. A secret's
// value is that of a variable, which is passed.
func (r *reader) build(request, value *yamldoc.Node, c *capability.Claim) {
	b := &capability.Build{Context: ".", Engine: "docker"}
	c.Build = b
	if !r.mapping(value, buildKeys) {
		return
	}
	r.variables(request, []string{"pass"}, c)
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
	r.sources(value, b)
}

// sources reads what a build takes in besides its context, and where it goes.
func (r *reader) sources(value *yamldoc.Node, b *capability.Build) {
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

// textOf is the string at a key, empty where there is none.
func (r *reader) textOf(value *yamldoc.Node, key string) string {
	n := value.Get(key)
	if n == nil {
		return ""
	}
	text, _ := r.text(n)
	return text
}

func (r *reader) isTrue(n *yamldoc.Node) bool {
	if n != nil && n.Kind() != yamldoc.KindBool {
		r.expected(n, "true or false")
	}
	return n != nil && n.Text() == "true"
}

// references reads a list of references, in any of the ways to write them.
func (r *reader) references(n *yamldoc.Node) []string {
	var out []string
	for i, text := range r.texts(n) {
		full, err := capability.Reference(text)
		if err != nil && n.Items()[i].Kind() == yamldoc.KindString {
			r.wrong(n.Items()[i], err.Error(), "")
		}
		out = append(out, full)
	}
	return out
}

func (r *reader) reference(n *yamldoc.Node) string {
	text, ok := r.text(n)
	full, err := capability.Reference(text)
	if ok && err != nil {
		r.wrong(n, err.Error(), "")
	}
	return full
}

// buildWords are what a claim's own words leave out of a build.
func buildWords(b *capability.Build) string {
	said := ", by " + b.Dockerfile
	for _, part := range [...]struct{ name, text string }{
		{"args", strings.Join(b.Args, " ")}, {"target", b.Target}, {"network", b.Network}, {"engine", otherEngine(b)},
	} {
		if part.text != "" {
			said += ", " + part.name + " " + part.text
		}
	}
	return said
}

// otherEngine is the engine, where it isn't the one that is meant without a word.
func otherEngine(b *capability.Build) string {
	if b.Engine == "docker" {
		return ""
	}
	return b.Engine
}
