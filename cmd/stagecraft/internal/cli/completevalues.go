package cli

import (
	"cmp"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// values completes the value of a flag or argument by its enumeration, or by its name in
// help. prefix is the part of the word before the value.
func (p *place) values(v *kong.Value, prefix, value string) completion {
	if v.Enum != "" {
		return words(prefix, v.EnumSlice()...)
	}
	switch name := valueName(v); name {
	case "FILE", "OUT", "PUB", "FILE[@sha256:DIGEST]":
		return completion{mode: modeFiles, prefix: prefix}
	case "DIR":
		return completion{mode: modeDirectories, prefix: prefix}
	case "ENGINE":
		return words(prefix, "auto", "docker", "embedded", "buildkit+tcp://", "buildkit+unix://")
	case "oci:DIR|tar:FILE":
		return outputs(prefix, value)
	case "REF=oci:DIR":
		if ref, _, ok := strings.Cut(value, "=oci:"); ok {
			return completion{mode: modeDirectories, prefix: prefix + ref + "=oci:"}
		}
	case "file":
		return p.named()
	case "id":
		return completion{modeWords, prefix, p.trusted()}
	case "id|file":
		return completion{modeFiles, prefix, p.providers()}
	case "operation":
		return words(prefix, operationNames()...)
	case "args":
		return completion{mode: modeFiles, prefix: prefix}
	case "command":
		return p.commands()
	}
	return completion{mode: modeWords}
}

// valueName is the name of a value in help.
func valueName(v *kong.Value) string {
	if v.Flag != nil {
		return cmp.Or(v.Flag.PlaceHolder, strings.ToUpper(v.Name))
	}
	return v.Name
}

func words(prefix string, values ...string) completion {
	c := completion{mode: modeWords}
	for _, v := range values {
		if v != "" {
			c.candidates = append(c.candidates, candidate{prefix + v, ""})
		}
	}
	return c
}

// outputs completes a value of --output.
func outputs(prefix, value string) completion {
	switch {
	case strings.HasPrefix(value, "oci:"):
		return completion{mode: modeDirectories, prefix: prefix + "oci:"}
	case strings.HasPrefix(value, "tar:"):
		return completion{mode: modeFiles, prefix: prefix + "tar:"}
	}
	return words(prefix, "oci:", "tar:")
}

// named completes a file, with the audit log that a variable names.
func (p *place) named() completion {
	c := completion{mode: modeFiles}
	if log := p.app.getenv(auditEnv); log != "" && strings.HasPrefix(p.node.Path(), "audit ") {
		c.candidates = []candidate{{log, auditEnv}}
	}
	return c
}

// commands completes the arguments of help.
func (p *place) commands() completion {
	top := p.node
	for top.Parent != nil {
		top = top.Parent
	}
	c := completion{mode: modeWords}
	if node, err := findCommand(top, p.arguments); err == nil {
		for _, child := range node.Children {
			if !child.Hidden {
				c.candidates = append(c.candidates, candidate{child.Name, child.Help})
			}
		}
	}
	return c
}

// options are those of the project that the command line names, without any output.
func (p *place) options() session.Options {
	p.app.grammar.Directory = cmp.Or(p.given["directory"], ".")
	p.app.grammar.Config = p.given["config"]
	opts := p.app.options()
	opts.Reporter = silent{opts.Reporter}
	return opts
}

// silent is a reporter without warnings.
type silent struct{ session.Reporter }

// Warn implements [session.Reporter].
func (silent) Warn(error) {}

// providers are those that are installed.
func (p *place) providers() []candidate {
	// Without providers there are no candidates.
	sources, _ := session.Providers(p.options())
	var found []candidate
	for _, s := range sources {
		found = append(found, candidate{s.ID, string(s.Origin)})
	}
	return found
}

// trusted are the providers of the lock file.
func (p *place) trusted() []candidate {
	lock, err := session.OpenLock(p.options())
	if err != nil {
		return nil
	}
	var found []candidate
	for _, id := range lock.IDs() {
		found = append(found, candidate{id, "trusted"})
	}
	return found
}
