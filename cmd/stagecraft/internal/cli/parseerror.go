package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// parseFailure rewords an error of kong, and adds what was expected and the help to
// read.
func parseFailure(err error, top *kong.Node) failure {
	node := top
	if e, ok := errors.AsType[*kong.ParseError](err); ok && e.Context.Selected() != nil {
		node = e.Context.Selected()
	}
	message := err.Error()
	for _, r := range rewordings {
		if found := regexp.MustCompile(r.pattern).FindStringSubmatch(message); found != nil {
			message = r.words(node, found)
			break
		}
	}
	hint := expected(node)
	if strings.HasPrefix(message, "unknown flag") {
		hint = "flags: " + strings.Join(flagsOf(node), ", ")
	}
	return failure{Code: "usage", Message: message, Hint: joined("\n", hint, seeHelp(node))}
}

// seeHelp names the command that shows a node's help.
func seeHelp(node *kong.Node) string { return "see " + node.FullPath() + " --help" }

// expected is what may follow a node: its commands, or its usage.
func expected(node *kong.Node) string {
	if commands := commandsOf(node); len(commands) > 0 {
		return "expected one of: " + strings.Join(commands, ", ")
	}
	return "usage: " + node.FullPath() + strings.TrimPrefix(node.Summary(), node.Path())
}

func commandsOf(node *kong.Node) []string {
	var names []string
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && !child.Hidden {
			names = append(names, child.Name)
		}
	}
	return names
}

// flagsOf returns a command's flags: its own, then the common ones.
func flagsOf(node *kong.Node) []string {
	var names []string
	for _, group := range slices.Backward(node.AllFlags(true)) {
		for _, flag := range group {
			names = append(names, "--"+flag.Name)
		}
	}
	return names
}

// rewordings replace kong's messages. Kong has no error types to distinguish them,
// and shortens lists of commands.
var rewordings = []struct {
	pattern string
	words   func(node *kong.Node, found []string) string
}{
	{`^expected one of "`, func(node *kong.Node, _ []string) string {
		return "missing command after " + node.FullPath()
	}},
	{`^expected "(.+)"$`, func(_ *kong.Node, found []string) string {
		return "missing " + found[1]
	}},
	{`^unexpected argument (.*?)(?:, did you mean (.+)\?)?$`, func(node *kong.Node, found []string) string {
		problem := "unexpected argument"
		if len(commandsOf(node)) > 0 {
			problem = "unknown command"
		}
		return fmt.Sprintf("%s %q", problem, found[1]) + didYouMean(found[2])
	}},
	{`^unknown flag (.*?)(?:, did you mean (.+)\?)?$`, func(_ *kong.Node, found []string) string {
		return "unknown flag " + found[1] + didYouMean(found[2])
	}},
	{`^missing flags: (.+)$`, func(_ *kong.Node, found []string) string {
		return "missing " + found[1]
	}},
	{`^--([a-z-]+): missing value, expecting ".*"`, func(node *kong.Node, found []string) string {
		return fmt.Sprintf("--%s: missing value, expected %s", found[1], placeholder(node, found[1]))
	}},
	{`^(--[a-z-]+|<[a-z|]+>) must be one of (.+) but got (".*")$`, func(_ *kong.Node, found []string) string {
		return fmt.Sprintf("%s: expected one of %s, got %s", found[1], strings.Join(strings.Split(strings.ReplaceAll(found[2], `"`, ""), ","), ", "), found[3])
	}},
}

// didYouMean is a suggestion of kong, if there is one.
func didYouMean(candidates string) string {
	if candidates == "" {
		return ""
	}
	return " (did you mean " + candidates + "?)"
}

// placeholder names a flag's value.
func placeholder(node *kong.Node, name string) string {
	for _, group := range node.AllFlags(false) {
		for _, flag := range group {
			if flag.Name == name {
				return flag.FormatPlaceHolder()
			}
		}
	}
	return "a value"
}

// maxHelpWidth bounds the lines of help unless COLUMNS is set: longer ones are hard to
// read.
const maxHelpWidth = 100

// helpWidth returns the upper bound for the lines of help, 0 for none. Kong itself
// uses COLUMNS, which overrides the terminal's width.
func (a *app) helpWidth() int {
	if n, err := strconv.Atoi(a.getenv("COLUMNS")); err == nil && n > 0 {
		return 0
	}
	if width, _, err := term.GetSize(int(a.Stdout.Fd())); err == nil && width > 0 {
		return min(width, maxHelpWidth)
	}
	return maxHelpWidth
}
