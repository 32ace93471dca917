package capability

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Mode is how strictly a policy is enforced on commands once they run.
type Mode string

// The modes, as a policy names them.
const (
	ConfineRequire    Mode = "require"     // no command runs where the system cannot enforce it
	ConfineBestEffort Mode = "best-effort" // enforced as far as the system can
	ConfineOff        Mode = "off"         // not enforced
)

var modes = []string{string(ConfineRequire), string(ConfineBestEffort), string(ConfineOff)}

// Confinement is what one policy lets the commands of a provider touch, once
// they run. What a command may touch is what all policies let it.
type Confinement struct {
	Layer  Layer
	Policy string
	// Mode is never ConfineOff in what [Confine] gives.
	Mode Mode
	// Files is nil where the policy has no section files.
	Files *ConfinedFiles
	// Net is nil where it has no section net.
	Net *ConfinedNet
	// Use are the names of the toolchains whose directories may be used.
	Use []string
	// Sockets are the names of sockets that may be connected to.
	Sockets []string
	// Unenforced are rules that deny a part of what another allows, which no system
	// can enforce on a command.
	Unenforced []*Rule
	// Commands reports whether the policy lets any command run.
	Commands bool

	pos yamldoc.Pos
}

// Pos is where the policy says it, unknown where it says nothing.
func (c Confinement) Pos() yamldoc.Pos { return c.pos }

// ConfinedFiles are the parts of the project. List are directories that may be
// listed, each with all below it, and without reading what is in them.
type ConfinedFiles struct{ Read, List, Write []Subtree }

// ConfinedNet are TCP ports. Port 0 in Listen is one that the system picks.
type ConfinedNet struct{ Connect, Listen []Ports }

// confinement is what a section says of commands once they run, besides its
// rules.
type confinement struct {
	mode       Mode // empty where nothing is said
	files, net bool // the section has such a mapping
	use        []string
	sockets    []string
	limits     Limits
	pos        yamldoc.Pos // of what confines commands
}

// begin notes that a section has a mapping: files and net confine commands by
// themselves.
func (c *confinement) begin(mapping string, pos yamldoc.Pos) {
	switch mapping {
	case "files":
		c.files, c.pos = true, pos
	case "net":
		c.net, c.pos = true, pos
	}
}

// Confine is the confinement by each policy that confines the commands of a
// provider. Without any the commands are not confined.
func Confine(policies []*Policy, provider string) []Confinement {
	var all []Confinement
	for _, p := range policies {
		if c := p.Confinement(provider); c.Mode != "" && c.Mode != ConfineOff {
			all = append(all, c)
		}
	}
	return all
}

// Confinement is all that the policy says of the commands of a provider, whether it
// confines them by that or not: Mode is off where it says so, and empty where it says
// nothing.
func (p *Policy) Confinement(provider string) Confinement {
	c := Confinement{Layer: p.Layer, Policy: p.Name}
	for _, s := range p.of(provider) {
		c.add(&s.confine)
		c.Commands = c.Commands || s.runs()
	}
	for _, l := range p.lists {
		if l.Provider == provider || l.Provider == anyProvider {
			c.rules(l)
		}
	}
	if c.Mode == "" && (c.Files != nil || c.Net != nil) {
		c.Mode = ConfineRequire
	}
	return c
}

// add adds what a section says: of modes the strictest counts.
func (c *Confinement) add(s *confinement) {
	if s.mode != "" && (c.Mode == "" || slices.Index(modes, string(s.mode)) < slices.Index(modes, string(c.Mode))) {
		c.Mode = s.mode
	}
	if s.pos.Line != 0 && c.pos.Line == 0 {
		c.pos = s.pos
	}
	if s.files && c.Files == nil {
		c.Files = new(ConfinedFiles)
	}
	if s.net && c.Net == nil {
		c.Net = new(ConfinedNet)
	}
	c.Use, c.Sockets = append(c.Use, s.use...), append(c.Sockets, s.sockets...)
}

// rules adds what a list of the policy says. The section of its key was added
// before.
func (c *Confinement) rules(l List) {
	switch k := KeyOf(l.Key); {
	case k.confine == nil:
	case l.Deny:
		c.Unenforced = append(c.Unenforced, l.Rules...)
	default:
		k.confine(c, l.Rules)
	}
}

// runs reports whether any rule lets a command run.
func (s *section) runs() bool {
	x := &s.exec.allow
	return len(x.pinned) > 0 || !x.byName.empty() || !x.byFile.empty() || !x.byProjectFile.empty()
}

// confines are the keys about commands once they run. No claim is decided by them.
var confines = family{keys: func() []Key {
	return []Key{
		{name: "use", parse: func(r *reader, _ *Key, n *yamldoc.Node, s *section) { s.confine.use = r.listOf(n, toolchains) }},
		{name: "sockets", parse: func(r *reader, k *Key, n *yamldoc.Node, s *section) {
			s.confine.sockets = r.listOf(n, socketNames)
			r.values(k, n.Items()...)
		}},
		{name: "confine", setting: true, parse: func(r *reader, _ *Key, n *yamldoc.Node, s *section) {
			s.confine.mode, s.confine.pos = Mode(r.oneOf(n, modes)), n.Pos()
		}},
		{name: "limits", setting: true, parse: func(r *reader, _ *Key, n *yamldoc.Node, s *section) { r.limits(n, &s.confine.limits) }},
	}
}}

// toolchains are those whose directories are known, see package confine.
var toolchains = []string{"bun", "deno", "dotnet", "elixir", "git", "go", "java", "node", "php", "python", "ruby", "rust"}

// Toolchains are the names of those whose directories a policy can allow, sorted.
func Toolchains() []string { return slices.Clone(toolchains) }

// socketNames are sockets that a policy can name.
var socketNames = []string{"docker"}

// oneOf reads one of some words.
func (r *reader) oneOf(n *yamldoc.Node, words []string) string {
	if n.Kind() != yamldoc.KindString || !slices.Contains(words, n.Text()) {
		r.problems.Wrong(n, fmt.Sprintf("unknown value %q", n.Text()), "use "+strings.Join(words, ", "))
		return ""
	}
	return n.Text()
}

// listOf reads a list of such words.
func (r *reader) listOf(n *yamldoc.Node, known []string) []string {
	if n.Kind() != yamldoc.KindList {
		r.problems.Expected(n, "a list of "+strings.Join(known, ", "))
		return nil
	}
	var list []string
	for _, item := range n.Items() {
		if word := r.oneOf(item, known); word != "" {
			list = append(list, word)
		}
	}
	return list
}

// UseKind is how a command used something once it ran.
type UseKind byte

// The kinds of uses.
const (
	UseRead    UseKind = 'r' // a file was opened to be read, or run
	UseList    UseKind = 'l' // a directory was opened
	UseWrite   UseKind = 'w' // an existing file was opened to be written
	UseMake    UseKind = 'm' // something was made, removed or renamed in a directory
	UseMkdir   UseKind = 'd' // this directory was made
	UseSocket  UseKind = 's' // a Unix socket was connected to
	UseConnect UseKind = 'c' // a TCP port was connected to
	UseListen  UseKind = 'b' // a TCP port was listened on, 0 for one that the system picks
	UseUDP     UseKind = 'u' // a port was sent to or received on by UDP
)

// Use is something that a command used once it ran, and that it would need to be
// allowed to use if it was confined.
type Use struct {
	Kind UseKind
	// Path is of files, directories and sockets: relative to the project, with slashes,
	// for what is in it, and absolute for what is outside. Links are followed.
	Path string
	// Port is of the kinds that have one.
	Port int
	// By are the names by which a policy can allow what is outside of the project:
	// of toolchains, and of sockets.
	By []string
}

// Used is what the commands of a provider used.
type Used struct {
	Uses []Use
	// Cut says that there was more than is kept. A program that uses so much stays
	// confined: else any could escape by using enough.
	Cut bool
	// Missed says why the uses of some commands are not known.
	Missed []string
}
