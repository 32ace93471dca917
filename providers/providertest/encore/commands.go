//go:build linux || darwin

package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
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
