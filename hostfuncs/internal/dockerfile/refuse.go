package dockerfile

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// unknownWord replaces a word that is unknown before the build. No real word contains
// NUL.
const unknownWord = "\x00"

func known(word string) bool { return !strings.Contains(word, unknownWord) }

// refuse returns the error, in BuildKit's words, with which BuildKit refuses an
// instruction before it builds anything. Words that are unknown before the build are
// not checked. See
// https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/convert.go.
func (r *resolver) refuse(s *Stage, c Command, vars *Vars) error {
	allKnown, err := r.expandAll(c.again, vars)
	if err != nil {
		return err
	}
	switch c := c.again.(type) {
	case *instructions.AddCommand:
		return checkAdd(c)
	case *instructions.CopyCommand:
		return checkCopy(c)
	case *instructions.RunCommand:
		if err := checkRun(c, s.dir, allKnown); err != nil || !allKnown {
			return err
		}
		return r.checkCaches(s, c)
	case *instructions.ExposeCommand:
		return r.checkExpose(c, vars)
	case *instructions.VolumeCommand:
		for _, name := range c.Volumes {
			if name == "" {
				return errors.New("VOLUME specified can not be an empty string")
			}
		}
	case *instructions.StopSignalCommand:
		if known(c.Signal) && !IsSignal(c.Signal) {
			return fmt.Errorf("invalid signal: %s", c.Signal)
		}
	case *instructions.WorkdirCommand:
		s.dir = workdir(s.dir, c.Path)
	}
	return nil
}

// expandAll expands all words of an instruction in place. It returns false if one of
// them is unknown.
func (r *resolver) expandAll(c instructions.Command, vars *Vars) (allKnown bool, err error) {
	allKnown = true
	lenient := func(expand func(string, *Vars) (string, error)) instructions.SingleWordExpander {
		return func(word string) (string, error) {
			text, err := expand(word, vars)
			if _, unknown := errors.AsType[*unknownError](err); unknown || errors.Is(err, errTooLong) {
				allKnown = false
				return unknownWord, nil
			}
			return text, err
		}
	}
	if _, isArg := c.(*instructions.ArgCommand); isArg {
		// An unused default may be wrong.
		return true, nil
	}
	if words, ok := c.(instructions.SupportsSingleWordExpansion); ok {
		if err := words.Expand(lenient(r.expander.Word)); err != nil {
			// unknownWord may have caused the error.
			if _, isRun := c.(*instructions.RunCommand); isRun && !allKnown {
				err = nil
			}
			return allKnown, err
		}
	}
	if texts, ok := c.(instructions.SupportsSingleWordExpansionRaw); ok {
		err = texts.ExpandRaw(lenient(r.expander.Raw))
	}
	return allKnown, err
}

func (r *resolver) checkExpose(c *instructions.ExposeCommand, vars *Vars) error {
	for _, word := range c.Ports {
		words, err := r.expander.Words(word, vars)
		if _, unknown := errors.AsType[*unknownError](err); unknown || errors.Is(err, errTooLong) {
			continue
		}
		if err != nil {
			return err
		}
		for _, port := range words {
			if _, err := Ports(port); err != nil {
				return fmt.Errorf("EXPOSE %s: %w", port, err)
			}
		}
	}
	return nil
}

// checkRun checks the mounts of a RUN. dir is the stage's working directory, empty if
// unknown.
func checkRun(c *instructions.RunCommand, dir string, allKnown bool) error {
	if len(c.Files) > 0 && (len(c.CmdLine) != 1 || !c.PrependShell) {
		return fmt.Errorf("parsing produced an invalid run command: %v", c.CmdLine)
	}
	if !allKnown {
		return nil
	}
	for _, m := range instructions.GetMounts(c) {
		switch m.Type {
		case instructions.MountTypeSSH:
			if m.Source != "" {
				return errors.New("ssh does not support source")
			}
		case instructions.MountTypeSecret:
		default:
			if target := workdir(dir, m.Target); target == "/" {
				return fmt.Errorf("invalid mount target %q", target)
			}
		}
	}
	return nil
}

// checkCaches refuses a cache from scratch if a later stage has that name.
func (r *resolver) checkCaches(s *Stage, c *instructions.RunCommand) error {
	for _, m := range instructions.GetMounts(c) {
		if m.From != "" || m.Type != instructions.MountTypeCache {
			continue
		}
		if _, err := r.source(s, scratch, false); err != nil {
			return err
		}
	}
	return nil
}

// dirOf returns the working directory that a stage begins with, empty if unknown.
func dirOf(from Source) string {
	switch {
	case from.From != nil:
		return from.From.dir
	case from.Image != "":
		return ""
	}
	return "/"
}

// workdir returns a directory relative to another one, empty if unknown.
func workdir(dir, name string) string {
	switch {
	case !known(name):
		return ""
	case path.IsAbs(name):
		return path.Clean(name)
	case dir == "":
		return ""
	}
	return path.Join(dir, name)
}

// checkDirective refuses an invalid "# check=".
func (f *File) checkDirective() error {
	text, _, location, ok := parser.ParseDirective("check", f.text)
	if !ok {
		return nil
	}
	if _, err := linter.ParseLintOptions(text); err != nil {
		return f.errorAt(firstLine(location), "failed to parse check options: %v", err)
	}
	return nil
}
