package cli

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// overviewCmd is stagecraft without a command: it shows what can be done here.
type overviewCmd struct{}

// errNoCommand is the error of a missing command for a person, who sees the overview
// instead.
var errNoCommand = &usageError{message: "missing command"}

// Run is called by kong. A missing command is an error, so that a script with an empty
// variable for the command does not succeed.
func (overviewCmd) Run(a *app, parser *kong.Kong) error {
	text, next, err := a.overview()
	if err != nil {
		return err
	}
	commands, err := summaries(parser.Model.Node, next)
	if err != nil {
		return err
	}
	fmt.Fprint(a.printer.stderr, text+"next:\n"+commands)
	if a.atTerminal() {
		return errNoCommand
	}
	return &usageError{"missing command after stagecraft", seeHelp(parser.Model.Node)}
}

// overview says what the configuration is for, and names the next commands. It loads no
// provider.
func (a *app) overview() (text string, next []string, err error) {
	s, err := a.open(a.options())
	if none, ok := errors.AsType[*config.NotFoundError](err); ok && none.File == "" && none.Near == "" {
		return safeLine(none.Error(), 1000) + "\n", []string{"init", "doctor", "help"}, nil
	}
	if err != nil {
		return "", nil, err
	}
	c := s.Config()
	rows := [][]string{
		{"project", safeLine(cmp.Or(c.Project.Name, filepath.Base(c.Root)), 100)},
		{"configuration", safeLine(c.File, 1000)},
		{"provider", fmt.Sprintf("%s (%s)", c.Provider, s.Source().Origin)},
		{"policy", policyText(s)},
	}
	for _, command := range []string{session.CommandDev, session.CommandBuild} {
		rows = append(rows, []string{command, settingsText(c.Settings(command))})
	}
	next = []string{"dev", "build", "plan dev", "doctor", "help"}
	if s.Policy() == nil {
		next = slices.Insert(next, 3, "policy learn")
	}
	return table(rows), next, nil
}

// policyText says whether the project's policy restricts the provider's commands.
func policyText(s *session.Session) string {
	policies := []*capability.Policy{s.Policy()}
	switch {
	case s.Policy() == nil:
		return "none: commands may use all that you may use"
	case len(capability.Confine(policies, s.Config().Provider)) == 0:
		return policyFile + ": it decides which commands run, and does not confine them"
	}
	return policyFile + ": it decides which commands run, and confines them"
}

// settingsText is a provider's settings for a command, on one line.
func settingsText(n *yamldoc.Node) string {
	var said []string
	for _, e := range n.Entries() {
		said = append(said, safeLine(e.Key, 100)+": "+valueText(e.Value))
	}
	if len(said) == 0 {
		return "no settings"
	}
	return termtext.Line(strings.Join(said, "; "), 200)
}

// valueText is a value as words, or the keys of a mapping: the values of variables and
// build arguments can be secret.
func valueText(n *yamldoc.Node) string {
	var words []string
	for _, e := range n.Entries() {
		words = append(words, e.Key)
	}
	if len(words) > 0 {
		return strings.Join(yamldoc.Words(words), ", ")
	}
	for _, item := range n.Items() {
		words = append(words, item.Text())
	}
	if len(words) == 0 {
		words = []string{n.Text()}
	}
	return strings.Join(yamldoc.Words(words), " ")
}

// summaries lists commands with their summaries.
func summaries(top *kong.Node, commands []string) (string, error) {
	var rows [][]string
	for _, command := range commands {
		node, err := findCommand(top, strings.Fields(command))
		if err != nil {
			return "", err
		}
		rows = append(rows, []string{"  stagecraft " + command, node.Help})
	}
	return table(rows), nil
}
