package capability

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Mode is how strictly commands are held to a policy once they run.
type Mode string

// The modes, as a policy names them.
const (
	ConfineRequire    Mode = "require"     // no command runs that can't be held
	ConfineBestEffort Mode = "best-effort" // held as far as the system can
	ConfineOff        Mode = "off"         // not held
)

var modes = []string{string(ConfineRequire), string(ConfineBestEffort), string(ConfineOff)}

// Confinement is what one policy lets the commands of a provider touch, once
// they run. What a command may touch is what all policies let it.
type Confinement struct {
	Layer  Layer
	Policy string
	// Mode is never ConfineOff in what [Confine] gives.
	Mode Mode
	// Files is nil where the policy has no section of files.
	Files *ConfinedFiles
	// Net is nil where it has none of net.
	Net *ConfinedNet
	// Use are the names of the toolchains whose directories may be used.
	Use []string
	// Sockets are the names of sockets that may be connected to.
	Sockets []string
	// Unheld are rules that deny a part of what another allows, to which no
	// system can hold a command.
	Unheld []*Rule
	// Commands tells whether the policy lets any command run.
	Commands bool

	pos yamldoc.Pos
}

// Pos is where the policy says it, unknown where it says nothing.
func (c Confinement) Pos() yamldoc.Pos { return c.pos }

// ConfinedFiles are the parts of the project. List are directories that may be
// listed, each with all below it, and without reading what is in them.
type ConfinedFiles struct{ Read, List, Write []Subtree }

// Subtree is a file, or with Below a directory with all that is in it. Path is
// clean and relative to the project, "." is the project.
type Subtree struct {
	Path  string
	Below bool
}

// ConfinedNet are TCP ports. Port 0 in Listen is one that the system picks.
type ConfinedNet struct{ Connect, Listen []Ports }

// Limits bound each command of a provider. 0 is no bound of the policy's.
type Limits struct {
	// Time is how long it may run.
	Time time.Duration
	// Output is how many bytes it may print.
	Output uint64
	// OpenFiles is how many files one process may have open.
	OpenFiles uint64
	// Processes is how many processes and threads its user may have besides
	// those that there are when it starts.
	Processes uint64
}

// confinement is what a section says of it, besides its rules.
type confinement struct {
	mode       Mode // empty where nothing is said
	files, net bool // there is such a section
	use        []string
	sockets    []string
	limits     Limits
	pos        yamldoc.Pos // of what has commands held
}

// Confine is what each policy that holds the commands of a provider holds them
// to. None says that they are held to nothing.
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

// add joins what a section says: of modes the strictest counts.
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

// rules joins what a list of the policy's says. There is a section where there
// is a list of it.
func (c *Confinement) rules(l List) {
	switch {
	case l.Deny && (l.Key == "files.read" || l.Key == "files.write" || l.Key == "net.connect"):
		c.Unheld = append(c.Unheld, l.Rules...)
	case l.Key == "files.read":
		c.Files.Read = append(c.Files.Read, subtrees(l.Rules)...)
	case l.Key == "files.list":
		c.Files.List = append(c.Files.List, listedTrees(l.Rules)...)
	case l.Key == "files.write":
		c.Files.Write = append(c.Files.Write, subtrees(l.Rules)...)
	case l.Key == "net.connect":
		c.Net.Connect = append(c.Net.Connect, portsOf(l.Rules, parsePorts)...)
	case l.Key == "net.listen":
		c.Net.Listen = append(c.Net.Listen, portsOf(l.Rules, parseListen)...)
	}
}

func portsOf(rules []*Rule, parse func(string) (Ports, error)) []Ports {
	var all []Ports
	for _, r := range rules {
		if of, err := parse(r.Text); err == nil {
			all = append(all, of)
		}
	}
	return all
}

// runs tells whether any rule lets a command run.
func (s *section) runs() bool {
	x := &s.execAllow
	return len(x.pinned) > 0 || !x.byName.empty() || !x.byFile.empty() || !x.byProjectFile.empty()
}

// subtrees leaves out what a kernel can't be told: a pattern of names allows a
// command nothing.
func subtrees(rules []*Rule) []Subtree {
	var all []Subtree
	for _, r := range rules {
		if s, ok := subtree(r.Text); ok {
			all = append(all, s)
		}
	}
	return all
}

func subtree(pattern string) (Subtree, bool) {
	words := pathWords(path.Clean(pattern))
	below := len(words) > 0 && words[len(words)-1] == "**"
	if below {
		words = words[:len(words)-1]
	}
	if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "*") }) {
		return Subtree{}, false
	}
	return Subtree{Path: path.Join(append([]string{"."}, words...)...), Below: below}, true
}

// LimitsOf are the bounds of a provider's commands: of several the tightest.
func LimitsOf(policies []*Policy, provider string) Limits {
	var least Limits
	for _, p := range policies {
		for _, s := range p.of(provider) {
			l := s.confine.limits
			least.Time = tighter(least.Time, l.Time)
			least.Output = tighter(least.Output, l.Output)
			least.OpenFiles = tighter(least.OpenFiles, l.OpenFiles)
			least.Processes = tighter(least.Processes, l.Processes)
		}
	}
	return least
}

func tighter[T time.Duration | uint64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// confineKeys are a section's keys that are about commands once they run.
func (r *reader) confineKeys(c *confinement) map[string]func(*yamldoc.Node) {
	return map[string]func(*yamldoc.Node){
		"confine": func(n *yamldoc.Node) { c.mode, c.pos = Mode(r.oneOf(n, modes)), n.Pos() },
		"use":     func(n *yamldoc.Node) { c.use = r.words(n, toolchains) },
		"sockets": func(n *yamldoc.Node) {
			c.sockets = r.words(n, socketNames)
			r.values("sockets", n.Items()...)
		},
		"limits": func(n *yamldoc.Node) {
			r.mapping(n, "a mapping", map[string]func(*yamldoc.Node){
				"time":       func(n *yamldoc.Node) { c.limits.Time = r.duration(n) },
				"output":     func(n *yamldoc.Node) { c.limits.Output = r.size(n) },
				"open_files": func(n *yamldoc.Node) { c.limits.OpenFiles = r.count(n, leastOpenFiles) },
				"processes":  func(n *yamldoc.Node) { c.limits.Processes = r.count(n, 1) },
			})
		},
	}
}

// toolchains are those whose directories are known, see package confine.
var toolchains = []string{"git", "go", "node", "python"}

// Toolchains are the names of those whose directories a policy can allow, sorted.
func Toolchains() []string { return slices.Clone(toolchains) }

// socketNames are sockets that a policy can name.
var socketNames = []string{"docker"}

// leastOpenFiles is what a program needs to start at all.
const leastOpenFiles = 16

// oneOf reads one of some words.
func (r *reader) oneOf(n *yamldoc.Node, words []string) string {
	if n.Kind() != yamldoc.KindString || !slices.Contains(words, n.Text()) {
		r.wrong(n, fmt.Sprintf("%q is not known", n.Text()), "use "+strings.Join(words, ", "))
		return ""
	}
	return n.Text()
}

// words reads a list of such words.
func (r *reader) words(n *yamldoc.Node, known []string) []string {
	if n.Kind() != yamldoc.KindList {
		r.expected(n, "a list of "+strings.Join(known, ", "))
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

func (r *reader) duration(n *yamldoc.Node) time.Duration {
	d, err := time.ParseDuration(n.Text())
	if n.Kind() != yamldoc.KindString || err != nil || d <= 0 {
		r.wrong(n, fmt.Sprintf("%q is no time above 0", n.Text()), "write it as 90s, 30m or 2h")
	}
	return d
}

var sizeText = regexp.MustCompile(`^([1-9][0-9]{0,8})(B|KiB|MiB|GiB)$`)

func (r *reader) size(n *yamldoc.Node) uint64 {
	m := sizeText.FindStringSubmatch(n.Text())
	if n.Kind() != yamldoc.KindString || m == nil {
		r.wrong(n, fmt.Sprintf("%q is no size", n.Text()), "write it as 64KiB, 256MiB or 1GiB")
		return 0
	}
	number, _ := strconv.ParseUint(m[1], 10, 64) // it has few enough digits
	return number << map[string]uint{"B": 0, "KiB": 10, "MiB": 20, "GiB": 30}[m[2]]
}

func (r *reader) count(n *yamldoc.Node, least uint64) uint64 {
	count, err := strconv.ParseUint(n.Text(), 10, 32)
	if n.Kind() != yamldoc.KindInt || err != nil || count < least {
		r.wrong(n, fmt.Sprintf("%q is no number from %d on", n.Text(), least), "")
	}
	return count
}
