package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// flagDef is a flag of a command, read as the real one's flag library does.
type flagDef struct {
	name, short string
	// bare is the value of the flag without one; where it is "", a value is
	// needed.
	bare  string
	check func(value string) error
	usage string
}

// values are the values that were given to flags, in their order.
type values map[string][]string

// last is the value that counts, or def where none was given.
func (v values) last(name, def string) string {
	if given := v[name]; len(given) > 0 {
		return given[len(given)-1]
	}
	return def
}

func (v values) isTrue(name string) bool {
	b, err := strconv.ParseBool(v.last(name, "false"))
	return err == nil && b
}

// list are the items of a flag that takes lists and may be repeated.
func (v values) list(name string) []string {
	var all []string
	for _, value := range v[name] {
		items, err := readList(value)
		if err == nil {
			all = append(all, items...)
		}
	}
	return all
}

func readList(value string) ([]string, error) {
	if value == "" {
		return nil, nil
	}
	return csv.NewReader(strings.NewReader(value)).Read()
}

func isBool(value string) error { _, err := strconv.ParseBool(value); return err }
func isUint(value string) error { _, err := strconv.ParseUint(value, 0, 64); return err }
func isList(value string) error { _, err := readList(value); return err }

// isCount is of a flag that counts how often it is given.
func isCount(value string) error {
	if value == "+1" {
		return nil
	}
	_, err := strconv.ParseInt(value, 0, 0)
	return err
}

func isText(string) error { return nil }

func oneOf(allowed ...string) func(string) error {
	return func(value string) error {
		if slices.Contains(allowed, value) {
			return nil
		}
		return errors.New("must be one of " + alternatives(allowed))
	}
}

func alternatives(allowed []string) string {
	var b strings.Builder
	for i, word := range allowed {
		switch {
		case i == 0:
		case len(allowed) == 2:
			b.WriteString(" or ")
		case i == len(allowed)-1:
			b.WriteString(", or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(word))
	}
	return b.String()
}

// parser reads arguments: flags and others in any order, until "--".
type parser struct {
	defs   []flagDef
	rest   []string
	given  values
	others []string
}

func parse(defs []flagDef, args []string) (values, []string, error) {
	p := &parser{defs: defs, rest: args, given: values{}}
	for len(p.rest) > 0 {
		arg := p.rest[0]
		p.rest = p.rest[1:]
		if arg == "--" {
			p.others = append(p.others, p.rest...)
			break
		}
		if err := p.one(arg); err != nil {
			return nil, nil, err
		}
	}
	return p.given, p.others, nil
}

func (p *parser) one(arg string) error {
	switch {
	case strings.HasPrefix(arg, "--"):
		return p.long(arg)
	case len(arg) > 1 && arg[0] == '-':
		return p.short(arg)
	}
	p.others = append(p.others, arg)
	return nil
}

func (p *parser) long(arg string) error {
	name, value, has := strings.Cut(arg[2:], "=")
	if name == "" || name[0] == '-' {
		return fmt.Errorf("bad flag syntax: %s", arg)
	}
	def, ok := p.find(func(d flagDef) bool { return d.name == name })
	switch {
	case !ok:
		return fmt.Errorf("unknown flag: --%s", name)
	case has:
	case def.bare != "":
		value = def.bare
	case len(p.rest) == 0:
		return fmt.Errorf("flag needs an argument: --%s", name)
	default:
		value, p.rest = p.rest[0], p.rest[1:]
	}
	return p.set(def, value)
}

// short reads flags of one letter: -w, -wp 4000, -p4000, -p=4000.
func (p *parser) short(arg string) error {
	for letters := arg[1:]; letters != ""; {
		letter := letters[:1]
		def, ok := p.find(func(d flagDef) bool { return d.short == letter })
		if !ok {
			return fmt.Errorf("unknown shorthand flag: %q in -%s", letter[0], letters)
		}
		value, left := def.bare, letters[1:]
		switch {
		case len(left) > 1 && left[0] == '=':
			value, left = left[1:], ""
		case def.bare != "":
		case left != "":
			value, left = left, ""
		case len(p.rest) == 0:
			return fmt.Errorf("flag needs an argument: %q in -%s", letter[0], letters)
		default:
			value, p.rest = p.rest[0], p.rest[1:]
		}
		if err := p.set(def, value); err != nil {
			return err
		}
		letters = left
	}
	return nil
}

func (p *parser) find(match func(flagDef) bool) (flagDef, bool) {
	i := slices.IndexFunc(p.defs, match)
	if i < 0 {
		return flagDef{}, false
	}
	return p.defs[i], true
}

func (p *parser) set(def flagDef, value string) error {
	if err := def.check(value); err != nil {
		name := "--" + def.name
		if def.short != "" {
			name = "-" + def.short + ", " + name
		}
		return fmt.Errorf("invalid argument %q for %q flag: %w", value, name, err)
	}
	p.given[def.name] = append(p.given[def.name], value)
	return nil
}
