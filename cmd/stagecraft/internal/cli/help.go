package cli

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/alecthomas/kong"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"A command, such as dev or plan build."`
}

func (helpCmd) Help() string {
	return `Shows the same as COMMAND --help, or all commands.

Examples:
  stagecraft help
  stagecraft help plan build`
}

// Run is called by kong.
func (c helpCmd) Run(a *app) error {
	stdout := &checkedWriter{w: a.printer.stdout}
	parser, err := a.newParser(c.Command, kong.Writers(stdout, a.printer.stderr))
	if err != nil {
		return err
	}
	if _, err := findCommand(parser.Model.Node, c.Command); err != nil {
		return err
	}
	// The flag keeps kong from selecting the default command.
	shown, err := kong.Trace(parser, append(slices.Clone(c.Command), "--help"))
	if err == nil {
		err = shown.PrintUsage(false)
	}
	if stdout.err != nil {
		return stdout.err
	}
	return err
}

// findCommand returns the command that words name.
func findCommand(top *kong.Node, words []string) (*kong.Node, error) {
	for _, word := range words {
		command := childOf(top, word)
		if command == nil {
			return nil, unknownCommand(top, word)
		}
		top = command
	}
	return top, nil
}

// unknownCommand returns the error for a word that is not a command of node.
func unknownCommand(node *kong.Node, word string) error {
	commands := commandsOf(node)
	message := fmt.Sprintf("unknown command %q", word)
	switch near := yamldoc.Nearest(word, commands); {
	case len(commands) == 0:
		message = fmt.Sprintf("%s has no command %q", node.FullPath(), word)
	case near != "":
		message += didYouMean(strconv.Quote(near))
	}
	return &usageError{message, expected(node) + "\n" + seeHelp(node)}
}

// childOf returns a node's command with a name, nil if there is none.
func childOf(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name && !child.Hidden {
			return child
		}
	}
	return nil
}
