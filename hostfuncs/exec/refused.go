package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/denial"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// heldBy is what one policy holds commands to.
type heldBy struct {
	policy string
	rules  confine.Rules
}

// refusals are what commands that failed said was denied to them, and what their
// rules do deny.
type refusals struct {
	mu   sync.Mutex
	uses []confine.Use
	// replaced are lines of files that their rules were not for any more.
	replaced []string
}

// maxRefused is how many are told of.
const maxRefused = 5

// hear notes what a command said, if it failed. What is told of is what the rules
// deny: a file that they allow is denied by its own mode.
func (c *Confinement) hear(h *heard, cmd process.Command, res process.Result, files *startedWith) {
	if h == nil || res.ExitCode == 0 || res.Interrupted {
		return
	}
	c.refused.mu.Lock()
	defer c.refused.mu.Unlock()
	for _, found := range h.all() {
		use, ok := useOf(found, cmd.Dir, *cmd.Confine)
		if ok && len(c.refused.uses) < maxRefused && !slices.Contains(c.refused.uses, use) {
			c.refused.uses = append(c.refused.uses, use)
		}
		if line := files.heard(found, cmd.Dir); line != "" && len(c.refused.replaced) < maxRefused && !slices.Contains(c.refused.replaced, line) {
			c.refused.replaced = append(c.refused.replaced, line)
		}
	}
}

// useOf is the use that rules deny of what was found, by a command in a directory.
func useOf(found denial.Found, dir string, rules confine.Rules) (confine.Use, bool) {
	var uses []confine.Use
	switch found.Kind {
	case denial.Connect:
		uses = []confine.Use{{Kind: confine.UseConnect, Port: uint16(found.Port)}}
	case denial.Listen:
		uses = []confine.Use{{Kind: confine.UseListen, Port: uint16(found.Port)}}
	case denial.UDP:
		uses = []confine.Use{{Kind: confine.UseUDP, Port: uint16(found.Port)}}
	case denial.File:
		uses = fileUses(found, dir)
	}
	for _, use := range uses {
		if !rules.Allows(use) {
			return use, true
		}
	}
	return confine.Use{}, false
}

// placeOf is the path of a file that was found, without links; empty where it leads
// nowhere.
func placeOf(found denial.Found, dir string) string {
	name := found.Path
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	at, err := files.ResolveLinks(filepath.Clean(name))
	if err != nil {
		return ""
	}
	return at
}

// fileUses are the ways to use a file that may have been denied, the least first.
func fileUses(found denial.Found, dir string) []confine.Use {
	at := placeOf(found, dir)
	if at == "" {
		return nil
	}
	around := confine.Use{Kind: confine.UseMake, Path: filepath.Dir(at)}
	info, err := os.Lstat(at)
	switch {
	case err != nil:
		if _, err := os.Stat(around.Path); err != nil {
			return nil
		}
		return []confine.Use{around}
	case found.Moves:
		return []confine.Use{around}
	case info.IsDir():
		return []confine.Use{{Kind: confine.UseList, Path: at}, {Kind: confine.UseMake, Path: at}}
	case info.Mode()&os.ModeSocket != 0:
		return []confine.Use{{Kind: confine.UseSocket, Path: at}}
	}
	return []confine.Use{{Kind: confine.UseRead, Path: at}, {Kind: confine.UseWrite, Path: at}}
}

// Refused says what was refused to commands that failed, a line each, with the rule
// that would allow it to those of a provider. What was said in output that went
// straight to the user isn't known.
func (c *Confinement) Refused(provider string) []string {
	if !c.Confined() {
		return nil
	}
	c.refused.mu.Lock()
	defer c.refused.mu.Unlock()
	known, err := c.known()
	if err != nil {
		return nil
	}
	var lines []string
	for _, use := range c.refused.uses {
		lines = append(lines, c.refusal(use, provider, known))
	}
	return append(lines, c.refused.replaced...)
}

// refusal is for one use.
func (c *Confinement) refusal(use confine.Use, provider string, known map[string]allowance) string {
	var by []string
	for _, h := range c.each {
		if !h.rules.Allows(use) {
			by = append(by, h.policy)
		}
	}
	what, toAllow := c.wording(use, known)
	said := strings.Join(by, " and ") + " " + plural(len(by), "confines commands and lets", "confine commands and let") + " none " + what
	switch {
	case toAllow == "" && use.Kind == confine.UseMake && strings.HasPrefix(use.Path+"/", os.TempDir()+"/"):
		return said + ": no rule can allow it, but the directory for temporary files that TMPDIR names is the run's own"
	case toAllow == "":
		return said + ": no rule can allow it"
	}
	return said + ": add " + toAllow + " of provider " + provider
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// wording says what a use does, and which rule is to be added to which key; the
// latter is empty where no rule can allow it.
func (c *Confinement) wording(use confine.Use, known map[string]allowance) (what, toAllow string) {
	add := func(g capability.Grant) string { return g.Rule + " to " + g.Key }
	switch use.Kind {
	case confine.UseConnect:
		port := strconv.Itoa(int(use.Port))
		return "connect to port " + port, port + " to net.connect"
	case confine.UseListen:
		port := strconv.Itoa(int(use.Port))
		return "listen on port " + port, port + " to net.listen"
	case confine.UseUDP:
		return fmt.Sprintf("use UDP, as for port %d", use.Port), `"*" to net.connect`
	}
	place := capability.Subtree{Path: use.Path}
	rel, err := filepath.Rel(c.project.Root(), use.Path)
	inside := err == nil && filepath.IsLocal(rel)
	if inside {
		place.Path = filepath.ToSlash(rel)
	}
	shown := termtext.Line(place.Path, maxShownPath)
	switch use.Kind {
	case confine.UseSocket:
		what, inside = "connect to "+shown, false
	case confine.UseList:
		what, toAllow = "list "+shown, add(place.ListGrant())
	case confine.UseRead:
		what, toAllow = "read "+shown, add(place.Grant("files.read"))
	case confine.UseWrite:
		what, toAllow = "write "+shown, add(place.Grant("files.write"))
	default:
		what, place.Below = "make or remove anything in "+shown, true
		toAllow = add(place.Grant("files.write"))
	}
	if inside {
		return what, toAllow
	}
	return what, outsideRule(use, known)
}

// maxShownPath is how much of a path is shown, in characters.
const maxShownPath = 200

// outsideRule is for what is outside of the project.
func outsideRule(use confine.Use, known map[string]allowance) string {
	var names []string
	for name, k := range known {
		if name != "base" && k.allows(use) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return ""
	case use.Kind == confine.UseSocket:
		return names[0] + " to sockets"
	}
	return strings.Join(names, " or ") + " to use"
}
