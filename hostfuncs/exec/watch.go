package exec

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// watch records what the commands of a run use.
type watch struct {
	mu     sync.Mutex
	uses   map[confine.Use]bool
	missed []string
	cut    bool // there were more uses than are recorded
}

// commandWatch watches one command. Running its own program is not recorded, because
// exec allows that.
type commandWatch struct {
	*watch
	program string
}

// Used implements [process.Watcher].
func (w commandWatch) Used(u confine.Use) {
	if u.Kind == confine.UseRead && u.Path == w.program {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.uses) < confine.MaxUses || w.uses[u] {
		w.uses[u] = true
		return
	}
	w.cut = true
}

// More implements [process.Watcher].
func (w *watch) More() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
}

// Missed implements [process.Watcher].
func (w *watch) Missed(reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.missed, reason) {
		w.missed = append(w.missed, reason)
	}
}

// watched makes a command watched if that is possible.
func (w *watch) watched(cmd *process.Command, program string) {
	switch {
	case w == nil:
	case cmd.Confine != nil:
		w.Missed("a command that is confined already is not watched")
	case len(cmd.Daemons) > 0:
		// A daemon would wait forever for a watch that has ended.
		w.Missed("a command that may leave a daemon behind is not watched")
	default:
		cmd.Watcher = commandWatch{w, program}
	}
}

// Used returns what commands used in addition to what every confined command may use,
// sorted. It is called after they have ended.
func (c *Confinement) Used() (capability.Used, error) {
	var used capability.Used
	if c.watch == nil {
		return used, nil
	}
	known, err := c.known()
	if err != nil {
		return used, err
	}
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	used.Cut = c.watch.cut
	used.Missed = slices.Sorted(slices.Values(c.watch.missed))
	for u := range c.watch.uses {
		if known["base"].allows(u) {
			continue
		}
		use := capability.Use{Kind: capability.UseKind(u.Kind), Path: u.Path, Port: int(u.Port)}
		if rel, inside := c.opts.Project.Rel(u.Path); inside {
			use.Path = rel
		}
		for name, k := range known {
			if k.allows(u) {
				use.By = append(use.By, name)
			}
		}
		slices.Sort(use.By)
		used.Uses = append(used.Uses, use)
	}
	slices.SortFunc(used.Uses, func(a, b capability.Use) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Kind, b.Kind))
	})
	return used, nil
}

// allowance is what a policy allows with the name of a toolchain.
type allowance struct {
	rules confine.Rules
	// made are directories that are created before a command starts.
	made []string
}

func (a allowance) allows(u confine.Use) bool {
	if a.rules.Allows(u) {
		return true
	}
	// Directories above them are created too.
	return u.Kind == confine.UseMkdir && slices.ContainsFunc(a.made, func(dir string) bool {
		return strings.HasPrefix(dir, u.Path+"/")
	})
}

// known returns all allowances by name; base is what is always allowed.
func (c *Confinement) known() (map[string]allowance, error) {
	docker := confine.Rules{Sockets: c.dockerSockets()}
	known := map[string]allowance{"docker": {rules: docker.Resolved(files.ResolveLinks)}}
	at := c.surroundings()
	for _, name := range append([]string{"base"}, capability.Toolchains()...) {
		rules, err := confine.Profile(name, at)
		if err != nil {
			return nil, err
		}
		known[name] = allowance{rules.Resolved(files.ResolveLinks), confine.Caches(name, at)}
	}
	return known, nil
}
