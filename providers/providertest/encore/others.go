//go:build linux || darwin

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

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
