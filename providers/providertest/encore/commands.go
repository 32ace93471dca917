//go:build linux || darwin

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// command is one that can be run, or a group that only has help.
type command struct {
	path string
	// also are other paths of the same command.
	also  []string
	use   string
	flags []flagDef
	// args is how many arguments are wanted; any is any number.
	args int
	run  func(c *call, given values, args []string) int
	// readsStdin says that the call is noted once its input is known.
	readsStdin bool
}

const anyArgs = -1

// Flags of every command.
var globalFlags = []flagDef{
	{name: "help", short: "h", bare: "true", check: isBool, usage: "help for this command"},
	{name: "trace", check: isText, usage: "file to write execution trace data to"},
	{name: "verbose", short: "v", bare: "+1", check: isCount, usage: "verbose output"},
}

func commands() []command {
	return append([]command{
		{path: "", use: "encore [command]"},
		{path: "version", use: "encore version", args: anyArgs, run: (*call).version},
		{path: "run", use: "encore run [--debug] [--watch=true] [--level=TRACE] [--port=4000] [--listen=<listen-addr>] [flags]",
			flags: runFlags, run: (*call).runApp},
		{path: "secret", also: []string{"secrets"}, use: "encore secret [command]"},
		{path: "secret set", also: []string{"secrets set"}, use: "encore secret set --type <types> <secret-name>",
			flags: secretFlags, args: 1, run: (*call).setSecret, readsStdin: true},
		{path: "build", also: []string{"eject"}, use: "encore build [command]"},
		{path: "build docker", also: []string{"eject docker"}, use: "encore build docker IMAGE_TAG [flags]",
			flags: buildFlags, args: 1, run: (*call).buildDocker},
	}, otherCommands()...)
}

// lookUp finds the command that arguments begin with: the longest path.
func lookUp(args []string) (command, []string) {
	var found command
	left := args
	for _, cmd := range commands() {
		for _, path := range append([]string{cmd.path}, cmd.also...) {
			words := strings.Fields(path)
			if len(words) <= len(args) && strings.Join(args[:len(words)], " ") == path && len(args)-len(words) <= len(left) {
				found, left = cmd, args[len(words):]
			}
		}
	}
	return found, left
}

func (c *call) dispatch(args []string) int {
	cmd, left := lookUp(args)
	if err := c.loginByKey(); err != nil {
		fmt.Fprintf(os.Stderr, "warning: ENCORE_AUTH_KEY login failed: %v\n", err)
	}
	given, others, err := parse(slices.Concat(globalFlags, cmd.flags), left)
	help := given.isTrue("help")
	if err == nil && !help {
		err = cmd.wants(others)
	}
	runs := err == nil && !help && cmd.run != nil
	inForeground := runs && cmd.path == daemonMode && given.isTrue("foreground")
	if !inForeground && (!runs || !cmd.readsStdin) {
		c.note(0)
	}
	if runs && cmd.path != daemonMode {
		tellTelemetry(cmd.path == "version")
	}
	switch {
	case runs:
		return cmd.run(c, given, others)
	case err != nil:
		cmd.printUsage(os.Stderr)
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cmd.printUsage(os.Stdout)
	return 0
}

// wants checks the number of arguments. A group takes any and shows its help.
func (cmd command) wants(others []string) error {
	switch {
	case len(others) == cmd.args, cmd.args == anyArgs:
	case cmd.path == "":
		return fmt.Errorf("unknown command %q for \"encore\"", others[0])
	case cmd.run == nil:
	case cmd.args == 0:
		return fmt.Errorf("unknown command %q for \"encore %s\"", others[0], cmd.path)
	default:
		return fmt.Errorf("accepts %d arg(s), received %d", cmd.args, len(others))
	}
	return nil
}

func (cmd command) printUsage(w io.Writer) {
	fmt.Fprintf(w, "Usage:\n  %s\n\nFlags:\n", cmd.use)
	for _, def := range slices.Concat(cmd.flags, globalFlags) {
		short := "   "
		if def.short != "" {
			short = "-" + def.short + ","
		}
		fmt.Fprintf(w, "  %s --%-14s %s\n", short, def.name, def.usage)
	}
	fmt.Fprintln(w)
}

// version checks for a new version, which needs the network.
func (c *call) version(values, []string) int {
	fmt.Println("encore version v1.58.2")
	if c.steer.Offline {
		return fail("could not check for update: dial tcp: lookup encore.dev: no such host")
	}
	return 0
}

var namespaceFlag = flagDef{name: "namespace", short: "n", check: isText, usage: "Namespace to use (defaults to active namespace)"}

// otherCommands are those that exist beside what a provider uses. Where the real
// one would run something of the app's or change the user's login, the stand-in
// only says that it does not play that, with its own exit code.
func otherCommands() []command {
	return []command{
		{path: daemonMode, use: "encore daemon [flags]", flags: daemonFlags, args: anyArgs, run: (*call).runDaemon},
		{path: "daemon env", use: "encore daemon env", args: anyArgs, run: (*call).daemonEnv},
		{path: "namespace", also: []string{"ns"}, use: "encore namespace [command]"},
		{path: "namespace list", also: []string{"namespace ls", "ns list", "ns ls"}, use: "encore namespace list [flags]",
			flags: []flagDef{{name: "output", short: "o", check: oneOf("columns", "json"), usage: "Output format"}}, run: (*call).listNamespaces},
		{path: "auth", use: "encore auth [command]"},
		{path: "auth whoami", use: "encore auth whoami", args: anyArgs, run: (*call).whoami},
		{path: "auth login", use: "encore auth login [--auth-key=<KEY>]", args: anyArgs, run: (*call).login,
			flags: []flagDef{{name: "auth-key", short: "k", check: isText, usage: "Auth Key to use for login"}}},
		{path: "auth logout", use: "encore auth logout", args: anyArgs, run: (*call).notPlayed},
		{path: "auth signup", use: "encore auth signup", args: anyArgs, run: (*call).notPlayed},
		{path: "exec", use: "encore exec path/to/script [args...] [flags]", args: anyArgs, run: (*call).notPlayed, flags: []flagDef{namespaceFlag}},
		{path: "test", use: "encore test [go test flags]", args: anyArgs, run: (*call).notPlayed},
		{path: "check", use: "encore check [spec] [flags]", args: anyArgs, run: (*call).notPlayed,
			flags: []flagDef{{name: "timeout", check: isText, usage: "How long to wait for /__encore/healthz before giving up"}}},
		{path: "db", use: "encore db [command]"},
		{path: "db reset", use: "encore db reset <database-names...|--all> [flags]", args: anyArgs, run: (*call).notPlayed},
		{path: "db shell", use: "encore db shell DATABASE_NAME [--env=<name>] [flags]", args: anyArgs, run: (*call).notPlayed},
	}
}

// notPlayed finds the app, as all of these do, or says that there is none.
func (c *call) notPlayed(values, []string) int {
	if len(c.argv) > 1 && c.argv[1] != "auth" {
		if _, err := findApp(); err != nil {
			return fail("%v", err)
		}
	}
	return misuse(errors.New("this command is not played"))
}

// daemonEnv prints where encore has its own files.
func (c *call) daemonEnv(values, []string) int {
	path, err := daemonLog()
	if err != nil {
		return fail("%v", err)
	}
	for _, name := range []string{"ENCORE_GOROOT", "ENCORE_RUNTIMES_PATH", "ENCORE_RUNTIME_LIB"} {
		fmt.Println(name + "=" + os.Getenv(name))
	}
	fmt.Println("ENCORE_DAEMON_LOG_PATH=" + path)
	return 0
}

// namespaces are those that an app has: the stand-in makes no others.
var namespaces = []string{"default"}

func checkNamespace(name string) error {
	if name == "" || slices.Contains(namespaces, name) {
		return nil
	}
	return errors.New("namespace not found")
}

// listNamespaces starts the daemon where there is none, and does nothing else
// to anything.
func (c *call) listNamespaces(given values, _ []string) int {
	a, err := findApp()
	if err != nil {
		return fail("%v", err)
	}
	s, err := connect(c.state, request{})
	if err != nil {
		return fail("%v", err)
	}
	defer s.close()
	switch {
	case !s.served():
		return fail("error reading from server: EOF")
	case a.broken != nil:
		return fail("parse encore.app: %v", a.broken)
	case given.last("output", "") == "json":
		fmt.Println("[\n  {\n    \"id\": \"abc12\",\n    \"name\": \"default\",\n    \"active\": true\n  }\n]")
		return 0
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', tabwriter.StripEscape)
	fmt.Fprint(w, "NAME\tID\tACTIVE\n")
	for _, name := range namespaces {
		fmt.Fprintf(w, "%s\tabc12\tyes\n", name)
	}
	if err := w.Flush(); err != nil {
		return fail("%v", err)
	}
	return 0
}

// login takes any key, and is not played without one.
func (c *call) login(given values, _ []string) int {
	if given.last("auth-key", "") == "" {
		return c.notPlayed(nil, nil)
	}
	if err := c.makeLogin(); err != nil {
		return fail("%v", err)
	}
	fmt.Println("Successfully logged in!")
	return 0
}

func (c *call) whoami(values, []string) int {
	dir, err := configDir()
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, tokenFile))
	}
	if err != nil || !c.loggedIn() {
		fmt.Println("not logged in.")
		return 0
	}
	fmt.Println("logged in as user@example.com")
	return 0
}
