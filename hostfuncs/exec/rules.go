package exec

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

// gather combines the rules of the policies. Links are resolved now and not when a
// command starts, because an earlier command could have created them.
func (c *Confinement) gather(policies []capability.Confinement) error {
	var directories []string
	for _, p := range policies {
		rules, made, err := c.policyRules(p)
		if err != nil {
			return err
		}
		rules, directories = rules.Resolved(files.ResolveLinks), append(directories, made...)
		c.each = append(c.each, rules)
		if c.rules != nil {
			rules = rules.And(*c.rules)
		}
		c.rules, c.by = &rules, append(c.by, p.Policy)
	}
	for _, directory := range directories {
		if target, err := files.ResolveLinks(directory); err == nil && slices.Contains(c.rules.Write, target) {
			c.directories = append(c.directories, target)
		}
	}
	c.findSingles(policies)
	return nil
}

// policyRules returns the rules of one policy, and the directories that must exist for
// them. They always include the directories of the system, which every program needs.
func (c *Confinement) policyRules(p capability.Confinement) (r confine.Rules, directories []string, err error) {
	r = confine.Rules{
		AnyFiles: p.Files == nil, AnyNet: p.Net == nil, BestEffort: p.Mode == capability.ConfineBestEffort,
	}
	at := c.surroundings()
	for _, name := range append([]string{"base"}, p.Use...) {
		profile, err := confine.Profile(name, at)
		if err != nil {
			return r, nil, err
		}
		directories = append(directories, confine.Caches(name, at)...)
		profile.BestEffort = r.BestEffort
		r = r.With(profile)
	}
	if p.Files != nil {
		// Readable files may be run: an interpreter could run them anyway.
		r.Exec = append(r.Exec, c.subtrees(p.Files.Read)...)
		write := c.subtrees(p.Files.Write)
		r.Exec, r.Write = append(r.Exec, write...), append(r.Write, write...)
		r.List = append(r.List, c.subtrees(p.Files.List)...)
		directories = append(directories, slices.DeleteFunc(slices.Clone(write), exists)...)
	}
	if p.Net != nil {
		r.Connect, r.AnyConnect = portList(p.Net.Connect)
		r.Listen, r.AnyListen = portList(p.Net.Listen)
		// Programs that connect to any port have to look up names.
		r.UDP = r.AnyConnect
		if len(r.Listen) > 0 && !slices.Contains(r.Listen, 0) {
			// The kernel gives a listening socket without a port one in any case.
			r.Listen = append(r.Listen, 0)
		}
	}
	if slices.Contains(p.Sockets, "docker") {
		r.Sockets = c.dockerSockets()
	}
	return r, directories, nil
}

func (c *Confinement) surroundings() confine.Surroundings {
	passed := func(name string) string {
		value, _ := values.Lookup(c.opts.Passed, name)
		return value
	}
	return confine.Surroundings{Home: passed("HOME"), Temp: c.tempPath(), Env: passed}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// subtrees returns the paths in the project. A rule of the kernel for a directory always
// includes its content, so a directory alone is left out.
func (c *Confinement) subtrees(list []capability.Subtree) []string {
	var paths []string
	for _, s := range list {
		abs, inside := c.resolved(s)
		if !inside {
			continue
		}
		if info, err := os.Lstat(abs); s.Below || err == nil && !info.IsDir() {
			paths = append(paths, abs)
		}
	}
	return paths
}

// resolved returns a path without links, and whether it is inside the project: a link
// must not lead commands out of it.
func (c *Confinement) resolved(s capability.Subtree) (abs string, inside bool) {
	abs, err := files.ResolveLinks(filepath.Join(c.opts.Project.Root(), filepath.FromSlash(s.Path)))
	if err != nil {
		return "", false
	}
	_, inside = c.opts.Project.Rel(abs)
	return abs, inside
}

// portList returns single ports, or says that all are included.
func portList(ranges []capability.Ports) (ports []uint16, all bool) {
	for _, p := range ranges {
		if p.All() {
			return nil, true
		}
		for port := p.Low; port <= p.High; port++ {
			ports = append(ports, uint16(port))
		}
	}
	return ports, false
}

// dockerSockets returns the sockets of the user's engine.
func (c *Confinement) dockerSockets() []string {
	host, _ := values.Lookup(c.opts.Environ, "DOCKER_HOST")
	if path, ok := strings.CutPrefix(host, "unix://"); ok {
		return []string{filepath.Clean(path)}
	}
	return []string{"/var/run/docker.sock"}
}

// makeDirectories creates those in the project without following links, which an
// earlier command could have created.
func (c *Confinement) makeDirectories() error {
	root, err := os.OpenRoot(c.opts.Project.Root())
	if err != nil {
		return err
	}
	defer root.Close()
	for _, directory := range c.directories {
		if rel, inside := c.opts.Project.Rel(directory); inside {
			err = root.MkdirAll(filepath.FromSlash(rel), 0o755)
		} else {
			err = os.MkdirAll(directory, 0o755)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
