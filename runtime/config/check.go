package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/distribution/reference"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// parse checks a document; known are the available providers.
func parse(file string, data []byte, known Providers) (*Config, error) {
	root, err := yamldoc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	k := checker{known: known}
	c := k.document(root)
	if err := k.problems.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// checker collects all problems.
type checker struct {
	known    Providers
	problems yamldoc.Problems
}

func (k *checker) document(root *yamldoc.Node) *Config {
	c := new(Config)
	if root.Kind() == yamldoc.KindNull {
		k.problems.Add(root.Pos(), "", "the file is empty", "the smallest configuration:\n"+Smallest)
		return c
	}
	if !k.mapping(root, "project", "build", "backend") {
		return c
	}
	if project := root.Get("project"); project != nil {
		c.Project = k.project(project)
	}
	if build := root.Get("build"); build != nil && k.mapping(build, "engine") {
		c.engine = build.Get("engine")
		c.Engine, _ = k.text(c.engine)
	}
	backend := root.Get("backend")
	if backend == nil {
		k.problems.Add(root.Pos(), "backend", "is missing", "the smallest configuration:\n"+Smallest)
		return c
	}
	if k.mapping(backend, "provider", "providers") {
		c.Provider, c.part = k.backend(backend)
	}
	return c
}

// mapping checks that a value is a mapping with known keys only.
func (k *checker) mapping(n *yamldoc.Node, keys ...string) bool {
	if n.Kind() != yamldoc.KindMap {
		k.problems.Expected(n, "a mapping")
		return false
	}
	for _, e := range n.Entries() {
		if !slices.Contains(keys, e.Key) && !isExtension(n, e.Key) {
			k.problems = append(k.problems, unknownKey(e, keys))
		}
	}
	return true
}

// extension begins the keys at the top of the file that are the user's own: places
// for anchors, as in a file of Docker Compose.
const extension = "x-"

func isExtension(n *yamldoc.Node, key string) bool {
	return n.Field() == "" && strings.HasPrefix(key, extension)
}

func unknownKey(e yamldoc.Entry, known []string) yamldoc.Problem {
	p := yamldoc.UnknownKey(e, known)
	if strings.HasPrefix(e.Key, extension) {
		p.Hint = `keys that begin with "x-" belong at the top of the file`
	}
	return p
}

// backend checks the core's keys below backend.
func (k *checker) backend(n *yamldoc.Node) (id string, part *yamldoc.Node) {
	id = k.provider(n)
	providers := n.Get("providers")
	switch {
	case providers == nil:
		k.problems.Add(n.Pos(), "backend.providers", "is missing", "give each provider its settings below its ID")
		return id, nil
	case providers.Kind() != yamldoc.KindMap:
		k.problems.Expected(providers, "a mapping of provider IDs to their settings")
		return id, nil
	case id == "":
		return id, nil
	}
	if part = providers.Get(id); part == nil {
		k.problems.Add(providers.Pos(), "backend.providers", fmt.Sprintf("has no entry for the selected provider %q", id),
			nearMiss(id, keys(providers))+fmt.Sprintf("add %q with its settings", id))
	}
	return id, part
}

// provider is the ID of the selected provider, or "" if it is unknown.
func (k *checker) provider(n *yamldoc.Node) string {
	provider := n.Get("provider")
	hint := k.list()
	switch id := provider.Text(); {
	case provider == nil:
		k.problems.Add(n.Pos(), "backend.provider", "is missing", hint)
	case provider.Kind() != yamldoc.KindString && provider.Kind() != yamldoc.KindNull:
		k.problems.Expected(provider, "the ID of a provider")
	case id == "":
		k.problems.Add(provider.Pos(), "backend.provider", "is empty, expected the ID of a provider", hint)
	case !k.known.Has(id):
		k.problems.Add(provider.Pos(), "backend.provider", fmt.Sprintf("unknown provider %q", id), nearMiss(id, k.known.IDs())+hint)
	default:
		return id
	}
	return ""
}

func (k *checker) list() string {
	ids := k.known.IDs()
	if len(ids) == 0 {
		return `this stagecraft has no providers: build it with "make build", or put one into .stagecraft/providers`
	}
	return "providers: " + strings.Join(ids, ", ")
}

func nearMiss(word string, known []string) string {
	if near := yamldoc.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q? ", near)
	}
	return ""
}

func keys(n *yamldoc.Node) []string {
	var out []string
	for _, e := range n.Entries() {
		out = append(out, e.Key)
	}
	return out
}

// projectName matches the last element of an image's name.
var projectName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$`) })

func (k *checker) project(n *yamldoc.Node) Project {
	if !k.mapping(n, "name", "registry") {
		return Project{}
	}
	name, ok := k.text(n.Get("name"))
	if ok && !projectName().MatchString(name) {
		k.problems.Add(n.Get("name").Pos(), "project.name", fmt.Sprintf("%q is not a valid image name", name),
			"use a-z, 0-9, and single . _ or - between them")
	}
	registry, ok := k.text(n.Get("registry"))
	if ok {
		k.registry(n.Get("registry"))
	}
	return Project{Name: name, Registry: registry}
}

func (k *checker) registry(n *yamldoc.Node) {
	const hint = "give a host and maybe a path, such as ghcr.io/acme or localhost:5000"
	text := n.Text()
	_, after, scheme := strings.Cut(text, "://")
	after = strings.TrimRight(after, "/")
	switch {
	case scheme && isRegistry(after):
		k.problems.Add(n.Pos(), "project.registry", fmt.Sprintf("%q has a scheme", text), "leave it out: "+after)
	case scheme:
		k.problems.Add(n.Pos(), "project.registry", fmt.Sprintf("%q has a scheme", text), hint)
	case !isRegistry(text):
		k.problems.Add(n.Pos(), "project.registry", fmt.Sprintf("%q is not a valid registry", text), hint)
	}
}

func isRegistry(text string) bool {
	_, err := reference.ParseNormalizedNamed(text + "/name")
	return err == nil
}

// text is false if the value is missing or not a string.
func (k *checker) text(n *yamldoc.Node) (string, bool) {
	if n == nil {
		return "", false
	}
	if n.Kind() != yamldoc.KindString {
		k.problems.Expected(n, "a string")
		return "", false
	}
	return n.Text(), true
}
