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

// judge says what is not learnt although it was used.
type judge struct {
	Options
	secret, written, home *capability.Policy
	what                  map[string]string
	fine, named           *capability.Policy
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
	if j.fine, err = allowed(harmless); err != nil {
		return nil, err
	}
	if j.named, err = named(o.Sensitive); err != nil {
		return nil, err
	}
	return j, nil
}

// look is what a list says of a path.
func look(p *capability.Policy, name string) capability.Decision {
	return capability.Decide([]*capability.Policy{p}, capability.Claim{
		Operation: "read_file", Provider: "learn", Files: []capability.FileUse{{Path: strings.TrimPrefix(name, "/"), Use: capability.Read}},
	})
}

// secrecy says what is sensitive about a path, empty for nothing.
func (j *judge) secrecy(name string, write bool) string {
	if inInstalled(name) || look(j.named, name).Allowed {
		return ""
	}
	if d := look(j.secret, name); d.Rule != "" && !look(j.fine, name).Allowed {
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

// file says why a file of the project is not learnt, empty where it is.
func (j *judge) file(provider, name string, write bool) Withheld {
	w := Withheld{Path: name, Write: write}
	if w.Why = j.denied(provider, name, write); w.Why != "" {
		w.Fixed = true
		return w
	}
	w.Why = j.secrecy(name, write)
	return w
}

// denied says which rule of the policy that is added to denies a path.
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

// directory says why a directory with all that is in it is not learnt.
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

// deniesPart says why nothing is learnt of a directory of which the policy that is added
// to denies a part.
func (j *judge) deniesPart() string { return "a rule of " + j.File + " denies a part of it" }

// maxLooked bounds how much of a project is looked through for one directory.
const maxLooked = 50_000

var errFound = errors.New("found")

// lookInto says what sensitive is in a directory, or can come to be there.
func (j *judge) lookInto(dir string) (why string) {
	switch said := j.secrecy(dir, true); {
	case dir == ".":
		return "the project directory with all that is in it"
	case said != "":
		return said
	case inInstalled(dir):
		return ""
	case look(j.home, dir).Rule != "":
		return "a directory where secrets are put"
	case j.Project == nil:
		return ""
	}
	if _, err := fs.Stat(j.Project, dir); errors.Is(err, fs.ErrNotExist) {
		return "" // it is made again by whoever needs it
	}
	looked := 0
	err := fs.WalkDir(j.Project, dir, func(name string, d fs.DirEntry, err error) error {
		if looked++; err != nil || looked > maxLooked {
			why = "a directory that could not be looked through"
			return errFound
		}
		if d.IsDir() && inInstalled(name) {
			return fs.SkipDir
		}
		switch said := j.secrecy(name, true); {
		case name == dir:
			return nil
		case said != "":
			why = fmt.Sprintf("it holds %s, %s", yamldoc.Word(name), said)
		case slices.Contains(manifests, path.Base(name)):
			why = fmt.Sprintf("dotenv files are put beside %s", yamldoc.Word(name))
		case d.IsDir() && look(j.home, name).Rule != "":
			why = fmt.Sprintf("it holds %s, a directory where secrets are put", yamldoc.Word(name))
		default:
			return nil
		}
		return errFound
	})
	if err != nil && why == "" {
		why = "a directory that could not be looked through"
	}
	return why
}

// port says why a port that commands connected to is not learnt.
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

// unused are those of the user's patterns that name nothing of what was used.
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

// Options say for whom a policy is learnt, and what it is added to. The zero value is
// for a new policy of a project of which nothing is known.
type Options struct {
	// Project are the project's files, nil where they are not at hand, as with a log
	// of another machine.
	Project fs.FS
	// Directories has a directory learnt for a file that commands read, where nothing
	// sensitive is or can come to be in it: a rule for one file holds for the file at
	// start, and a command that goes on for hours sees files replaced.
	Directories bool
	// Sensitive are patterns of what is learnt although it is sensitive.
	Sensitive []string
	// Own are files of the project that are this program's, besides those that have
	// their names from it.
	Own []string
	// Terminals are the user's own, which programs open by themselves.
	Terminals []string
	// File is the name of the policy that is added to, and Into its text; nil for a
	// new one.
	File string
	Into []byte
	// InForce is the project's policy, nil for none. No new policy confines commands
	// less than it does.
	InForce *capability.Policy
}
