package learn

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// judge decides what is not learnt although it was used.
type judge struct {
	Options
	secret, written, home *capability.Policy
	what                  map[string]string
	harmless, named       *capability.Policy
	into                  *capability.Policy // nil for a new policy
	unclean               map[string]string  // why a directory is not learnt, by its path
}

// newJudge reads the lists.
func newJudge(o Options, into *capability.Policy) (*judge, error) {
	j := &judge{Options: o, into: into, unclean: make(map[string]string), what: make(map[string]string)}
	var err error
	for _, l := range []struct {
		kinds []kind
		into  **capability.Policy
	}{{sensitive, &j.secret}, {writable, &j.written}, {[]kind{{patterns: homes}}, &j.home}} {
		var what map[string]string
		if *l.into, what, err = list(l.kinds); err != nil {
			return nil, err
		}
		for pattern, said := range what {
			j.what[pattern] = said
		}
	}
	if j.harmless, err = allowed(harmless); err != nil {
		return nil, err
	}
	if j.named, err = named(o.Sensitive); err != nil {
		return nil, err
	}
	return j, nil
}

// look compares a path with a list.
func look(p *capability.Policy, name string) capability.Decision {
	return capability.Decide([]*capability.Policy{p}, capability.Claim{
		Operation: "read_file", Provider: "learn", Files: []capability.FileUse{{Path: strings.TrimPrefix(name, "/"), Use: capability.Read}},
	})
}

// secrecy says why a path is sensitive; empty if it is not.
func (j *judge) secrecy(name string, write bool) string {
	if inInstalled(name) || look(j.named, name).Allowed {
		return ""
	}
	if d := look(j.secret, name); d.Rule != "" && !look(j.harmless, name).Allowed {
		return j.what[d.Rule]
	}
	if d := look(j.written, name); write && d.Rule != "" {
		return j.what[d.Rule]
	}
	if write && slices.Contains(j.Own, name) {
		return writable[0].what
	}
	return ""
}

func inInstalled(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(word string) bool { return slices.Contains(installed, word) })
}

// file says why a file of the project is not learnt.
func (j *judge) file(provider, name string, write bool) Withheld {
	w := Withheld{Path: name, Write: write}
	if w.Why = j.denied(provider, name, write); w.Why != "" {
		w.Fixed = true
		return w
	}
	w.Why = j.secrecy(name, write)
	return w
}

// denied says by which rule the existing policy denies a path.
func (j *judge) denied(provider, name string, write bool) string {
	if j.into == nil {
		return ""
	}
	for _, use := range []capability.FileKind{capability.Read, capability.Write} {
		d := capability.Decide([]*capability.Policy{j.into}, capability.Claim{
			Operation: "exec", Provider: provider, Files: []capability.FileUse{{Path: name, Use: use}},
		})
		if !d.Allowed && d.Rule != "" && (write || use == capability.Read) {
			return d.Reason()
		}
	}
	return ""
}

// directory says why a whole directory is not learnt.
func (j *judge) directory(provider, dir string, write bool) Withheld {
	w := Withheld{Path: path.Join(dir, "**"), Write: write}
	if j.into != nil && j.into.DeniesBelow(provider, dir) {
		w.Why, w.Fixed = j.deniesPart(), true
		return w
	}
	if look(j.named, dir).Allowed {
		return w
	}
	why, ok := j.unclean[dir]
	if !ok {
		why = j.lookInto(dir)
		j.unclean[dir] = why
	}
	w.Why = why
	return w
}

// watched says why a pattern is not learnt. The rule for it lets all files that it matches
// be read.
func (j *judge) watched(provider, pattern string) string {
	p, err := capability.ParseFilePattern(pattern)
	if err != nil || !p.Whole(p.Base()) {
		return j.secrecy(pattern, false)
	}
	return j.directory(provider, p.Base(), false).Why
}

// deniesPart says that the existing policy denies a part of a directory.
func (j *judge) deniesPart() string { return "a rule of " + j.File + " denies a part of it" }

// maxLooked is the most entries that are searched for one directory.
const maxLooked = 50_000

var errFound = errors.New("found")

// lookInto says what sensitive a directory contains or may get.
func (j *judge) lookInto(dir string) (why string) {
	switch said := j.secrecy(dir, true); {
	case dir == ".":
		return "the whole project directory"
	case said != "":
		return said
	case inInstalled(dir):
		return ""
	case look(j.home, dir).Rule != "":
		return "a directory for secrets"
	case j.Project == nil:
		return ""
	}
	if _, err := fs.Stat(j.Project, dir); errors.Is(err, fs.ErrNotExist) {
		return "" // its user creates it again
	}
	looked := 0
	err := fs.WalkDir(j.Project, dir, func(name string, d fs.DirEntry, err error) error {
		if looked++; err != nil || looked > maxLooked {
			why = "a directory that could not be searched"
			return errFound
		}
		if d.IsDir() && inInstalled(name) {
			return fs.SkipDir
		}
		switch said := j.secrecy(name, true); {
		case name == dir:
			return nil
		case said != "":
			why = fmt.Sprintf("it contains %s, %s", yamldoc.Word(name), said)
		case slices.Contains(manifests, path.Base(name)):
			why = fmt.Sprintf("dotenv files are usual beside %s", yamldoc.Word(name))
		case d.IsDir() && look(j.home, name).Rule != "":
			why = fmt.Sprintf("it contains %s, a directory for secrets", yamldoc.Word(name))
		default:
			return nil
		}
		return errFound
	})
	if err != nil && why == "" {
		why = "a directory that could not be searched"
	}
	return why
}

// port says why a port to which commands connected is not learnt.
func (j *judge) port(provider string, rule string, number int) Withheld {
	w := Withheld{Path: "port " + rule, Fixed: true}
	if j.into == nil {
		return w
	}
	if rule == allPorts {
		denies := func(l capability.List) bool {
			return l.Deny && l.Key == "net.connect" && len(l.Rules) > 0 && (l.Provider == provider || l.Provider == "*")
		}
		if slices.ContainsFunc(j.into.Lists(), denies) {
			w.Why = "a rule of " + j.File + " denies a part of them"
		}
		return w
	}
	d := capability.Decide([]*capability.Policy{j.into}, capability.Claim{
		Operation: "probe", Provider: provider, Net: []capability.NetUse{{Port: number}},
	})
	if !d.Allowed && d.Rule != "" {
		w.Why = d.Reason()
	}
	return w
}

// unused are the user's patterns that match nothing that was used.
func (j *judge) unused(claims []capability.Claim, commands Commands) []string {
	return slices.DeleteFunc(slices.Clone(j.Sensitive), func(pattern string) bool {
		p, err := named([]string{pattern})
		if err != nil {
			return true
		}
		has := func(name string) bool { return name != "" && look(p, name).Allowed }
		for _, used := range commands {
			if slices.ContainsFunc(used.Uses, func(u capability.Use) bool { return has(u.Path) }) {
				return true
			}
		}
		return slices.ContainsFunc(claims, func(c capability.Claim) bool {
			return slices.ContainsFunc(c.Files, func(f capability.FileUse) bool { return has(f.Path) })
		})
	})
}

// Options say what is known of the project, and which policy is extended. The zero value
// is for a new policy of an unknown project.
type Options struct {
	// Project has the project's files; nil if there are none, as with the log of another
	// machine.
	Project fs.FS
	// Directories learns the directory of a file that commands read, unless it contains
	// or may get something sensitive. A rule for a file is for the one that exists at
	// start, and a command that runs for hours sees files replaced.
	Directories bool
	// Sensitive are patterns of sensitive paths that are learnt all the same.
	Sensitive []string
	// Own are files of this program in the project, besides those named after it.
	Own []string
	// Terminals are the user's own terminals, which programs open by themselves.
	Terminals []string
	// File is the name of the existing policy, and Into its text; nil for a new one.
	File string
	Into []byte
	// InForce is the project's policy, or nil. A new policy must not be weaker.
	InForce *capability.Policy
}
