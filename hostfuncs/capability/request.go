package capability

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// request is one way to ask for a right in a policy test: the key that it is
// written with, the operation that makes such claims, and how its value is read.
type request struct {
	key, operation string
	beside         []string // keys that may be beside it
	read           func(r *reader, request, value *yamldoc.Node, c *Claim)
	// words are what the words of a claim leave out; nil is nothing.
	words func(*Claim) string
}

// ParseRequest reads what a policy test asks for, and describes it in words. The
// provider of the claim is left empty.
func ParseRequest(n *yamldoc.Node) (c Claim, words string, problems yamldoc.Problems) {
	var r reader
	c, words = r.request(n)
	return c, words, r.problems
}

func (r *reader) request(n *yamldoc.Node) (Claim, string) {
	var all, found []request
	var known, every []string
	for _, f := range families() {
		all = append(all, f.requests...)
	}
	for _, q := range all {
		known, every = append(known, q.key), append(append(every, q.key), q.beside...)
		if n.Get(q.key) != nil && !isBeside(all, n, q.key) {
			found = append(found, q)
		}
	}
	every = slices.Compact(slices.Sorted(slices.Values(every)))
	hint := "use one of " + strings.Join(known, ", ")
	switch {
	case len(found) == 0:
		if before := len(r.problems); r.problems.KnownKeys(n, every) && len(r.problems) == before {
			r.problems.Wrong(n, "does not say what is asked for", hint)
		}
		return Claim{}, ""
	case len(found) > 1:
		r.problems.Wrong(n, fmt.Sprintf("asks for %s and %s, a case is one request", found[0].key, found[1].key), hint)
		return Claim{}, ""
	}
	q, c := found[0], Claim{Operation: found[0].operation}
	r.problems.KnownKeys(n, append(slices.Clone(q.beside), q.key))
	q.read(r, n, n.Get(q.key), &c)
	return c, q.describe(c)
}

// isBeside reports whether a key of a request belongs to another one.
func isBeside(all []request, n *yamldoc.Node, key string) bool {
	return slices.ContainsFunc(all, func(q request) bool { return n.Get(q.key) != nil && slices.Contains(q.beside, key) })
}

// describe is the request as a message has it.
func (q request) describe(c Claim) string {
	shown := c
	shown.Operation = q.key
	if x := c.Exec; x != nil && x.ProgramInProject != "" {
		// A test has no project directory.
		inside := *x
		inside.Program = x.ProgramInProject
		shown.Exec = &inside
	}
	if q.words != nil {
		return shown.String() + q.words(&c)
	}
	return shown.String()
}

// beside reads the variables and dotenv files beside a request.
func (r *reader) beside(request *yamldoc.Node, uses []string, c *Claim) {
	if n := request.Get("env"); n != nil && r.problems.KnownKeys(n, uses) {
		c.Env = append(r.uses(n.Get("set"), Set), r.uses(n.Get("pass"), Pass)...)
	}
	if n := request.Get("load"); n != nil {
		r.loadRequest(request, n, c)
	}
}

// textOf is the string at a key, empty where there is none.
func (r *reader) textOf(value *yamldoc.Node, key string) string {
	n := value.Get(key)
	if n == nil {
		return ""
	}
	text, _ := r.problems.Text(n)
	return text
}

// texts reads a list of strings.
func (r *reader) texts(n *yamldoc.Node) []string {
	if n == nil {
		return nil
	}
	if n.Kind() != yamldoc.KindList {
		r.problems.Expected(n, "a list of strings")
		return nil
	}
	var all []string
	for _, item := range n.Items() {
		if item.Kind() != yamldoc.KindString {
			r.problems.Expected(item, "a string: put it in quotes")
		}
		all = append(all, item.Text())
	}
	return all
}

// path reads a path in the project.
func (r *reader) path(n *yamldoc.Node) string {
	text, ok := r.problems.Text(n)
	clean := path.Clean(text)
	if ok && !fs.ValidPath(clean) {
		r.problems.Wrong(n, fmt.Sprintf("%q leaves the project directory", text), "paths are relative to the project directory")
	}
	return clean
}
