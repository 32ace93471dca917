package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// runFlags are the settings of dev that are passed to encore run. Encore has defaults for
// all but the browser, which stays closed.
type runFlags struct {
	Watch     *bool
	Namespace string
	Level     string
	Debug     debugMode
	Browser   string
}

func (f *runFlags) fields() []abi.Field {
	return []abi.Field{
		{Name: "watch", To: abi.Optional(&f.Watch)},
		{Name: "namespace", To: &f.Namespace},
		{Name: "level", To: &f.Level},
		{Name: "debug", To: &f.Debug},
		{Name: "browser", To: &f.Browser},
	}
}

// The values that encore run takes.
var (
	levels   = []string{"trace", "debug", "info", "warn", "error"}
	browsers = []string{"auto", "never", "always"}
	debugs   = []string{"enabled", "break"}
)

// debugMode is a value of --debug. In the configuration, true means "enabled" and false
// no flag.
type debugMode string

// SetJSON takes a boolean or a text. check reports others with their place.
func (d *debugMode) SetJSON(data []byte) error {
	switch text, ok := abi.JSON(data).Text(); {
	case ok:
		*d = debugMode(text)
	case string(data) == "true":
		*d = "enabled"
	case string(data) == "false" || string(data) == "null":
		*d = ""
	default:
		*d = debugMode(data)
	}
	return nil
}

func (f *runFlags) check() []abi.Problem {
	problems := oneOf("/dev/level", f.Level, levels)
	problems = append(problems, oneOf("/dev/browser", f.Browser, browsers)...)
	if mode := string(f.Debug); mode != "" && !slices.Contains(debugs, mode) {
		problems = append(problems, abi.Problem{
			Pointer: "/dev/debug", Message: "unknown value " + strconv.Quote(mode), Hint: "expected true, false or break",
		})
	}
	if strings.HasPrefix(f.Namespace, "-") {
		problems = append(problems, abi.Problem{
			Pointer: "/dev/namespace", Message: strconv.Quote(f.Namespace) + " is not the name of a namespace", Hint: "encore namespace list shows them",
		})
	}
	return problems
}

// oneOf refuses a value that encore would refuse later.
func oneOf(pointer, value string, allowed []string) []abi.Problem {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	hint := "expected one of " + strings.Join(allowed, ", ")
	if near := abi.Nearest(value, allowed); near != "" {
		hint = "did you mean " + strconv.Quote(near) + "? " + hint
	}
	return []abi.Problem{{Pointer: pointer, Message: "unknown value " + strconv.Quote(value), Hint: hint}}
}

// runCommand returns encore run with the configured flags.
func (r *run) runCommand() []string {
	f := &r.Dev.runFlags
	argv := []string{"encore", "run", "--listen", r.listen(), "--browser", cmp.Or(f.Browser, "never")}
	if f.Watch != nil {
		argv = append(argv, "--watch="+strconv.FormatBool(*f.Watch))
	}
	if f.Namespace != "" {
		argv = append(argv, "--namespace", f.Namespace)
	}
	if f.Level != "" {
		argv = append(argv, "--level", f.Level)
	}
	if f.Debug != "" {
		// Its value cannot be a separate word: without one it is "enabled".
		argv = append(argv, "--debug="+string(f.Debug))
	}
	return argv
}

// parts are the parts of the app in the image; all if neither is set.
type parts struct {
	Services []string
	Gateways []string
}

func (p *parts) fields() []abi.Field {
	return []abi.Field{{Name: "services", To: &p.Services}, {Name: "gateways", To: &p.Gateways}}
}

// check refuses names that encore would split: it reads a list as CSV.
func (p *parts) check() []abi.Problem {
	var problems []abi.Problem
	for _, list := range []struct {
		pointer string
		names   []string
	}{{"/build/services", p.Services}, {"/build/gateways", p.Gateways}} {
		seen := make(map[string]bool)
		for i, name := range list.names {
			problem := abi.Problem{Pointer: list.pointer + "/" + strconv.Itoa(i)}
			switch {
			case name == "" || strings.HasPrefix(name, "-") || strings.ContainsAny(name, ", \t\r\n\""):
				problem.Message = strconv.Quote(name) + " is not the name of a service or gateway"
			case seen[name]:
				problem.Message = "duplicate name " + strconv.Quote(name)
			default:
				seen[name] = true
				continue
			}
			problems = append(problems, problem)
		}
	}
	return problems
}

func (p *parts) words() []string {
	var words []string
	if len(p.Services) > 0 {
		words = append(words, "--services", strings.Join(p.Services, ","))
	}
	if len(p.Gateways) > 0 {
		words = append(words, "--gateways", strings.Join(p.Gateways, ","))
	}
	return words
}
