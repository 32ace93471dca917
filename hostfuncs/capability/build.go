package capability

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Build is an image that would be built. The paths are relative to the project
// directory, with slashes and links resolved. References of images are full, as
// [Reference] gives them.
type Build struct {
	Context    string   `json:"context"`
	Dockerfile string   `json:"dockerfile"`
	Tags       []string `json:"tags"`
	Args       []string `json:"args,omitempty"` // names
	Target     string   `json:"target,omitempty"`
	Network    string   `json:"network,omitempty"` // "", none, default or host; "" is default
	Push       bool     `json:"push,omitempty"`
	// Engine is what builds: docker, buildkit or embedded. It is empty in claims
	// of earlier versions, which do not say what the Dockerfile names. A policy
	// with rules for base images denies those.
	Engine string `json:"engine,omitempty"`
	// EngineAddress is where the engine listens, tcp://host:port or
	// ssh://user@host; empty where that is a socket of this machine.
	EngineAddress string `json:"engine_address,omitempty"`
	// Bases are the images of each FROM and COPY --from, with arguments put
	// in, without stages of the Dockerfile and scratch.
	Bases []string `json:"bases,omitempty"`
	// Layouts are OCI layouts that images are taken from in place of their
	// registries, as oci:DIR: a path in the project, or an absolute one. Such
	// a base has the digest of the layout's image.
	Layouts []string `json:"layouts,omitempty"`
	// Syntax is the image that reads the Dockerfile, as its first line or the
	// argument BUILDKIT_SYNTAX names it; empty where the engine reads it itself.
	Syntax string `json:"syntax,omitempty"`
	// Remotes are the URLs of each ADD, with arguments put in; git@host:path is
	// ssh://git@host/path.
	Remotes []string `json:"remotes,omitempty"`
	// Platforms are the requested ones, such as linux/arm64; without any it is
	// the engine's own.
	Platforms []string `json:"platforms,omitempty"`
	// Secrets are the IDs of the secrets that steps may mount. The variables
	// and files with their values are in Env and Files of the claim.
	Secrets []string `json:"secrets,omitempty"`
	// CacheFrom and CacheTo are references in registries that steps' results
	// are fetched from and sent to.
	CacheFrom []string `json:"cache_from,omitempty"`
	CacheTo   []string `json:"cache_to,omitempty"`
	// Outputs are where the image is written to, as oci:DIR or tar:FILE: a
	// path in the project, or an absolute one.
	Outputs []string `json:"outputs,omitempty"`
	// Load puts the image into the engine of this machine, by its tags.
	Load bool `json:"load,omitempty"`
	// Insecure says that a step wants rights over the machine that builds, by
	// RUN --security=insecure. No policy can allow it.
	Insecure bool `json:"insecure,omitempty"`
}

// engine is the engine as rules name it; docker where the claim names none.
func (b *Build) engine() string {
	switch {
	case b.Engine == "":
		return "docker"
	case b.EngineAddress != "":
		return b.Engine + "+" + b.EngineAddress
	}
	return b.Engine
}

// words say what is built, of what, and where it goes.
func (b *Build) words() []string {
	said := []string{yamldoc.Word(b.Context), "as", quoteList(b.Tags)}
	for _, part := range [...]struct {
		before string
		texts  []string
	}{
		{"for", b.Platforms}, {"on", b.Bases}, {"from", b.Layouts}, {"read by", one(b.Syntax)}, {"with", b.Remotes},
		{"with the secrets", b.Secrets}, {"with the cache", b.CacheFrom},
	} {
		if len(part.texts) > 0 {
			said = append(said, part.before, quoteList(part.texts))
		}
	}
	if b.EngineAddress != "" {
		said = append(said, "at", yamldoc.Word(b.EngineAddress))
	}
	if b.Push {
		said = append(said, "and push it")
	}
	if len(b.CacheTo) > 0 {
		said = append(said, "and its cache to", quoteList(b.CacheTo))
	}
	if len(b.Outputs) > 0 {
		said = append(said, "and write it to", quoteList(b.Outputs))
	}
	return said
}

func (b *Build) fault() string {
	switch _, known := networks[b.Network]; {
	case !fs.ValidPath(b.Dockerfile):
		return fmt.Sprintf("%q is not a clean path in the project", b.Dockerfile)
	case !known:
		return fmt.Sprintf("%q is not a network", b.Network)
	case len(b.Tags) == 0 || slices.Contains(b.Tags, ""):
		return "the image has no reference, or an empty one"
	case b.Insecure:
		return "a step with rights over the machine that builds cannot be allowed"
	case b.Engine == "" && (b.EngineAddress != "" || len(b.Bases) > 0):
		return "it does not say which engine builds"
	case b.Engine == "embedded" && b.EngineAddress != "":
		return "the embedded engine has no address"
	}
	for i := range buildLists {
		for _, text := range buildLists[i].texts(b) {
			if fault := buildLists[i].fault(text); fault != "" {
				return fmt.Sprintf("%q %s", text, fault)
			}
		}
	}
	return ""
}

// network is how far the steps of a build may reach.
type network int

const (
	networkUnset network = iota
	networkNone
	networkDefault
	networkHost
)

// String is the name in a policy.
func (n network) String() string {
	switch n {
	case networkNone:
		return "none"
	case networkHost:
		return "host"
	default:
		return "default"
	}
}

var networks = map[string]network{"": networkDefault, "none": networkNone, "default": networkDefault, "host": networkHost}

// widest is the widest of some networks.
func widest(names []string) string {
	return slices.MaxFunc(names, func(a, b string) int { return int(networks[a] - networks[b]) })
}

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
