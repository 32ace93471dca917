package cli

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// What honours a flag. everyRun means every run of the command; other flags are an
// error, with exit code 80, if they cannot be honoured.
const (
	everyRun   = "always"
	byProvider = "docker_build or the provider, by build_options (runtime/session/buildflags.go)"
	host       = "docker_build alone (runtime/session/buildflags.go)"
	byDaemon   = "docker_build alone, for a daemon at buildkit+tcp (chooseEngine)"
	project    = "in a project; unused has the others"
	loads      = "where a provider is loaded; unused has the others"
	learnt     = "with build, as build; else checkUnused of policy learn"
	ran        = "with a command to run; else checkUnused of policy learn"
	shown      = "for all programs; an interactive one is an error (resolveExec)"
	ofBuild    = "for docker_build; else checkFlags of policy explain"
	ofStart    = "for exec and process_start, --dir for docker_build as well; else checkFlags of policy explain"
)

// common has the flags of all commands.
var common = map[string]string{
	"help": everyRun, "verbose": everyRun, "allow-project-ceiling": everyRun, "locked": everyRun,
	"no-replay": everyRun, "directory": project, "config": project, "policy": project,
	loadTime: loads, loadMemory: loads,
}

var recording = map[string]string{"audit": everyRun, "sarif": everyRun}

var building = map[string]string{
	"tag":    everyRun, // the second: provider
	"push":   "every provider; checkCarriedOut",
	"engine": host, "engine-certs": byDaemon, "output": host, "base": host + "; the Dockerfile must use it",
	"platform": byProvider, "load": byProvider, "no-cache": byProvider, "pull": byProvider,
}

// flagTable says what honours each flag of each command.
var flagTable = map[string]map[string]string{
	"dev": merged(recording, map[string]string{
		"timestamps": shown, "log-file": shown, "only-output": shown + "; warnNotShown of session.run",
		"open": "where the provider reports a URL; warnNotOpened of session.run",
	}),
	"build": merged(recording, building, map[string]string{
		"progress": host, "iidfile": byProvider, "attest": byProvider, "attest-key": "with --attest", "metadata-file": everyRun,
		"plan": "without --tag and --push, which are taken from the plan", "json": everyRun,
	}),
	"plan dev":         {"json": everyRun, "out": everyRun},
	"plan build":       merged(building, map[string]string{"json": everyRun, "out": everyRun}),
	"validate":         {"json": everyRun},
	"provider list":    {"json": everyRun},
	"provider inspect": {"json": everyRun, "load": everyRun},
	"provider trust":   {"yes": everyRun},
	"provider untrust": {},
	"provider diff":    {"load": everyRun},
	"policy explain": {
		"json": everyRun, "dir": ofStart, "env": ofStart, "push": ofBuild, "target": ofBuild, "platform": ofBuild, "secret": ofBuild,
		"cache-from": ofBuild, "cache-to": ofBuild, "engine": ofBuild, "engine-certs": ofBuild, "output": ofBuild, "base": ofBuild,
	},
	"init":         {"yes": everyRun, "provider": everyRun, "no-policy": everyRun, "only-policy": everyRun},
	"policy check": {"strict": everyRun, "json": everyRun},
	"policy test":  {},
	"policy learn": {
		"allow": ran, "from": "without a command", "out": everyRun, "sensitive": everyRun, "audit": ran, "sarif": ran,
		"tag": learnt, "push": learnt, "engine": learnt, "engine-certs": learnt, "platform": learnt, "load": learnt, "output": learnt,
		"base": learnt, "no-cache": learnt, "pull": learnt, "progress": learnt,
	},
	"audit verify": {"head": everyRun, "json": everyRun},
	"audit show":   {},
	"audit report": {"html": everyRun},
	"schema":       {},
	"verify":       {"key": everyRun, "image": everyRun, "json": everyRun},
	"doctor":       {"json": everyRun},
	"completion":   {},
	"man":          {},
	"version":      {"json": everyRun},
	"help":         {},
	"overview":     {},
}

func merged(tables ...map[string]string) map[string]string {
	all := make(map[string]string)
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

// TestFlagTable: each flag of each command has an entry, so that whoever adds a flag
// says what honours it.
func TestFlagTable(t *testing.T) {
	leaves := make(map[string]bool)
	for _, leaf := range model(t).Leaves(false) {
		command := leaf.Path()
		leaves[command] = true
		table := merged(common, flagTable[command])
		if flagTable[command] == nil {
			t.Errorf("the table has no command %q", command)
			continue
		}
		var flags []string
		for _, group := range leaf.AllFlags(false) {
			for _, flag := range group {
				flags = append(flags, flag.Name)
				if table[flag.Name] == "" {
					t.Errorf("%s --%s: the table does not say what honours it", command, flag.Name)
				}
			}
		}
		for name := range table {
			if !slices.Contains(flags, name) {
				t.Errorf("%s --%s is in the table and not a flag", command, name)
			}
		}
	}
	for command := range unused {
		if !leaves[command] {
			t.Errorf("unused has %q, which is not a command", command)
		}
	}
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := kong.New(new(grammar))
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model
}

// TestCheckFlags has cases that the scripts do not have.
func TestCheckFlags(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"build", "--tag", "a:1", "--tag", "b:2", "--push", "--push"}, ""},
		{[]string{"version", "--verbose", "--locked"}, ""},
		{[]string{"dev", "--no-locked", "--no-locked"}, "duplicate flag --locked"},
		{[]string{"policy", "explain", "--env", "A", "--env", "B", "exec", "sh", "-c", "", "-c", ""}, ""},
		{[]string{"policy", "explain", "--env", "", "exec", "sh"}, "--env: the value is empty"},
		{[]string{"-C", "a", "dev", "-C", "b"}, "duplicate flag --directory"},
		{[]string{"verify", "f", "--key", "k", "--image", ""}, "--image: the value is empty"},
	} {
		parser, err := kong.New(new(grammar))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.Parse(tt.args)
		if err != nil {
			t.Fatalf("%q: %v", tt.args, err)
		}
		got := ""
		if err := checkFlags(parsed, tt.args); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.args, got, tt.want)
		}
	}
}

// TestIdentifyFlags: flags that need the image's digest reach the session.
func TestIdentifyFlags(t *testing.T) {
	for flag, c := range map[string]buildCmd{
		"--iidfile": {Iidfile: "id.txt"},
		"--attest":  {attestFlags: attestFlags{Attest: "out.json"}},
	} {
		if flags := c.identify(); len(flags) != 1 || flags[0].Name != flag {
			t.Errorf("%s: got %v", flag, flags)
		}
	}
}

// TestOneCommandAlone: a parser for the command that is named has the same help as one for
// all commands, and so the same flags and arguments.
func TestOneCommandAlone(t *testing.T) {
	help := func(app *app, first string, args []string) string {
		var out strings.Builder
		parser, err := app.newParser([]string{first}, kong.Name("stagecraft"), kong.Writers(&out, &out), kong.Exit(func(int) {}))
		if err != nil {
			t.Fatal(err)
		}
		if first != "" && len(parser.Model.Children) != 1 {
			t.Errorf("%q: the parser has %d commands", args, len(parser.Model.Children))
		}
		_, _ = parser.Parse(args) // it goes on after the help
		return out.String()
	}
	var nodes []*kong.Node
	for _, command := range model(t).Children {
		if command.Hidden {
			continue
		}
		nodes = append(append(nodes, command), command.Children...)
	}
	for _, node := range nodes {
		args := append(strings.Fields(node.Path()), "--help")
		all, alone := help(new(app), "", args), help(new(app), args[0], args)
		if all != alone || !strings.HasPrefix(all, "Usage: stagecraft "+args[0]) {
			t.Errorf("%q: got\n%s\nwith all commands:\n%s", args, alone, all)
		}
	}
}
