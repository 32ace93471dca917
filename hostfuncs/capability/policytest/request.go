package policytest

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// kind is one sort of request: the key that it is written with, the operation
// that makes such claims, and how its value is read.
type kind struct {
	key, operation string
	more           []string // keys that may stand beside it
	read           func(r *reader, request, value *yamldoc.Node, c *capability.Claim)
}

// A file is written by what runs, and loaded for it: no operation of its own
// does it.
var kinds = []kind{
	{"exec", "exec", []string{"dir", "program", "sha256", "env", "load"}, (*reader).exec},
	{"read", "read_file", nil, fileReader(capability.Read)},
	{"write", "exec", nil, fileReader(capability.Write)},
	{"load", "exec", nil, (*reader).load},
	{"look", "env_status", nil, (*reader).look},
	{"build", "docker_build", []string{"env", "load"}, (*reader).build},
	{"connect", "probe", nil, (*reader).connect},
	{"log", "log", nil, (*reader).log},
}

// request reads what is asked for, and says it in words. The operation is empty
// where that is not known.
func (r *reader) request(n *yamldoc.Node) (string, capability.Claim) {
	var c capability.Claim
	var known, every []string
	var found []kind
	for _, k := range kinds {
		known, every = append(known, k.key), append(append(every, k.key), k.more...)
		if n.Get(k.key) != nil && !isBeside(n, k.key) {
			found = append(found, k)
		}
	}
	every = slices.Compact(slices.Sorted(slices.Values(every)))
	hint := "use one of " + strings.Join(known, ", ")
	switch {
	case len(found) == 0:
		if before := len(r.problems); r.mapping(n, every) && len(r.problems) == before {
			r.wrong(n, "does not say what is asked for", hint)
		}
		return "", c
	case len(found) > 1:
		r.wrong(n, fmt.Sprintf("asks for %s and %s, a case is one request", found[0].key, found[1].key), hint)
		return "", c
	}
	k := found[0]
	r.mapping(n, append(slices.Clone(k.more), k.key))
	c.Operation = k.operation
	k.read(r, n, n.Get(k.key), &c)
	return words(k.key, c), c
}

// isBeside tells whether a key of a request says more of another one.
func isBeside(n *yamldoc.Node, key string) bool {
	return slices.ContainsFunc(kinds, func(k kind) bool { return n.Get(k.key) != nil && slices.Contains(k.more, key) })
}

// words are the request as a message has it.
func words(key string, c capability.Claim) string {
	c.Operation = key
	if x := c.Exec; x != nil && x.ProgramInProject != "" {
		// The project stands nowhere.
		shown := *x
		shown.Program = x.ProgramInProject
		c.Exec = &shown
	}
	said := c.String()
	if c.Build != nil {
		said += buildWords(c.Build)
	}
	return said
}

// projectRoot stands for the project's directory, which a test has none of: a file
// in it is known by its path there.
const projectRoot = "/project/"

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (r *reader) exec(request, value *yamldoc.Node, c *capability.Claim) {
	x := &capability.Exec{Argv: r.command(value), Dir: "."}
	c.Exec = x
	if n := request.Get("dir"); n != nil {
		x.Dir = r.path(n)
	}
	if n := request.Get("program"); n != nil && isAbs(n.Text()) {
		x.Program, _ = r.text(n)
	} else if n != nil {
		x.ProgramInProject = r.path(n)
		x.Program = projectRoot + x.ProgramInProject
	}
	if n := request.Get("sha256"); n != nil {
		x.SHA256 = strings.TrimPrefix(n.Text(), "sha256:")
		if !hexDigest.MatchString(x.SHA256) {
			r.wrong(n, fmt.Sprintf("%q is not a SHA-256 digest", n.Text()), "write its 64 digits, as sha256sum prints them")
		}
	}
	r.variables(request, []string{"set", "pass"}, c)
}

// variables reads what is used of variables and dotenv files beside a request.
func (r *reader) variables(request *yamldoc.Node, uses []string, c *capability.Claim) {
	if n := request.Get("env"); n != nil && r.mapping(n, uses) {
		c.Env = append(r.uses(n.Get("set"), capability.Set), r.uses(n.Get("pass"), capability.Pass)...)
	}
	if n := request.Get("load"); n != nil {
		r.load(request, n, c)
	}
}

// command reads words as a policy's rules have them.
func (r *reader) command(n *yamldoc.Node) []string {
	if n.Kind() == yamldoc.KindList {
		return r.texts(n)
	}
	if n.Kind() != yamldoc.KindString {
		r.expected(n, "a command: a string, or a list of words")
	}
	if strings.ContainsAny(n.Text(), `"'\`+"`") {
		r.wrong(n, fmt.Sprintf("command %q has a quote in it, and commands are split at blanks alone", n.Text()), `write it as a list: [node, "-e", "a b"]`)
	}
	return strings.Fields(n.Text())
}

// isAbs knows absolute paths of any system.
func isAbs(p string) bool {
	drive := len(p) > 2 && p[1] == ':' && (p[2] == '/' || p[2] == '\\')
	return path.IsAbs(p) || drive || strings.HasPrefix(p, `\\`)
}

// path reads a path in the project.
func (r *reader) path(n *yamldoc.Node) string {
	text, ok := r.text(n)
	clean := path.Clean(text)
	if ok && !fs.ValidPath(clean) {
		r.wrong(n, fmt.Sprintf("%q leaves the project directory", text), "paths are relative to the project directory")
	}
	return clean
}

func (r *reader) uses(n *yamldoc.Node, use capability.EnvKind) []capability.EnvUse {
	var out []capability.EnvUse
	for _, name := range r.texts(n) {
		out = append(out, capability.EnvUse{Name: name, Use: use})
	}
	return out
}

func fileReader(use capability.FileKind) func(r *reader, request, value *yamldoc.Node, c *capability.Claim) {
	return func(r *reader, _, value *yamldoc.Node, c *capability.Claim) {
		c.Files = []capability.FileUse{{Path: r.path(value), Use: use}}
	}
}

// load reads the path of a dotenv file, or a list of them.
func (r *reader) load(_, value *yamldoc.Node, c *capability.Claim) {
	for _, n := range oneOrMore(value) {
		c.Files = append(c.Files, capability.FileUse{Path: r.path(n), Use: capability.Load})
	}
}

func (r *reader) connect(_, value *yamldoc.Node, c *capability.Claim) {
	port, err := strconv.Atoi(value.Text())
	if err != nil || value.Kind() != yamldoc.KindInt {
		r.wrong(value, fmt.Sprintf("is %s, expected a port", value.Kind()), "write it as a number: 4000")
	}
	c.Net = []capability.NetUse{{Port: port, Use: capability.Connect}}
}

func (r *reader) look(_, value *yamldoc.Node, c *capability.Claim) {
	c.Env = r.uses(value, capability.Look)
}

func (r *reader) log(_, value *yamldoc.Node, c *capability.Claim) {
	if c.Log = value.Text() == "true"; !c.Log || value.Kind() != yamldoc.KindBool {
		r.expected(value, "true")
	}
}
