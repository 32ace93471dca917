package starter

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// Policy writes the policy that the proposal needs. Commands may read the project, and
// write, run and reach what the proposal names.
func Policy(p Proposal) ([]byte, error) {
	comments := make(map[string]string)
	base := "/providers/" + p.Provider
	for key, comment := range p.Needs.Comments {
		comments[base+"/"+strings.ReplaceAll(key, ".", "/")] = comment
	}
	section := p.section(base, comments)
	data, err := write(policyFile, []string{
		`Written by "stagecraft init". "stagecraft policy learn dev" writes what a run uses.`,
	}, object{{"version", 1}, {"providers", object{{p.Provider, section}}}}, comments)
	if err != nil {
		return nil, err
	}
	if _, err := capability.Parse(policyFile, data); err != nil {
		return nil, err
	}
	return data, nil
}

func (p Proposal) section(base string, comments map[string]string) object {
	n := p.Needs
	var section object
	if n.Unconfined != "" {
		comments[base+"/confine"] = n.Unconfined
		section = append(section, member{"confine", capability.ConfineOff})
	}
	section = append(section, member{"exec", commands(n.Exec)})
	if slices.ContainsFunc(n.Exec, func(argv []string) bool { return strings.Contains(strings.Join(argv, ""), "*") }) {
		comments[base+"/exec"] = strings.TrimSpace(comments[base+"/exec"] + " * allows any characters and cannot be escaped")
	}
	if len(n.Daemons) > 0 {
		section = append(section, member{"daemons", commands(n.Daemons)})
	}
	if use := slices.DeleteFunc(sorted(n.Use), unknownTool); len(use) > 0 {
		section = append(section, member{"use", use})
	}
	if len(n.EnvPass) > 0 {
		section = append(section, member{"env", object{{"pass", sorted(n.EnvPass)}}})
	}
	section = append(section, member{"files", p.files()})
	if build := p.build(); build != nil {
		section = append(section, member{"build", build})
	}
	if n.Network != "" {
		comments[base+"/net/connect"] = n.Network
	}
	return append(section, member{"net", network(n)})
}

func unknownTool(name string) bool { return !slices.Contains(capability.Toolchains(), name) }

func (p Proposal) files() object {
	files := object{{"read", []string{"**"}}}
	var write []string
	for _, dir := range sorted(p.Needs.Write) {
		if dir == "." {
			write = append(write, "**")
		} else {
			write = append(write, dir+"/**")
		}
	}
	if write != nil {
		files = append(files, member{"write", write})
	}
	return files
}

// build allows the image that "stagecraft build" builds.
func (p Proposal) build() object {
	if len(p.Needs.Build) == 0 || p.Project == "" {
		return nil
	}
	return object{{"contexts", sorted(p.Needs.Build)}, {"tags", []string{p.Project + ":*"}}}
}

// network allows ports. A section without ports allows none.
func network(n abi.Needs) object {
	net := object{}
	switch {
	case n.Network != "":
		net = append(net, member{"connect", []string{"*"}})
	case len(n.Connect) > 0:
		net = append(net, member{"connect", sorted(n.Connect)})
	}
	if len(n.Listen) > 0 {
		net = append(net, member{"listen", sorted(n.Listen)})
	}
	return net
}

// commands are rules for commands, as text where the words are simple.
func commands(list [][]string) []any {
	rules := make([]any, 0, len(list))
	seen := make(map[string]bool)
	for _, argv := range list {
		id := fmt.Sprintf("%q", argv)
		if seen[id] {
			continue
		}
		seen[id] = true
		if slices.ContainsFunc(argv, isOdd) {
			rules = append(rules, argv)
		} else {
			rules = append(rules, strings.Join(argv, " "))
		}
	}
	return rules
}

// isOdd reports whether a word of a command cannot be written in a text.
func isOdd(word string) bool {
	return word == "" || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./=+:@-") != ""
}

// sorted returns each value of a list once.
func sorted[T int | string](list []T) []T {
	set := make(map[T]bool)
	for _, v := range list {
		set[v] = true
	}
	return slices.Sorted(maps.Keys(set))
}
