package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

type manCmd struct {
	Command []string `arg:"" optional:"" help:"A command, such as dev or plan build."`
}

func (manCmd) Help() string {
	return `Prints a manual page in the format man(7): of all commands, or of one.

Examples:
  stagecraft man | man -l -
  stagecraft man >~/.local/share/man/man1/stagecraft.1
  stagecraft man plan build | man -l -`
}

// Run is called by kong.
func (c manCmd) Run(a *app) error {
	parser, err := a.newParser(nil)
	if err != nil {
		return err
	}
	node, err := findCommand(parser.Model.Node, c.Command)
	if err != nil {
		return err
	}
	return a.printer.result(manPage(parser.Model.Node, node))
}

// manPage is the manual page of a node, with all commands below it. Its date is that of
// the program's commit: the same program prints the same page.
func manPage(top, node *kong.Node) string {
	r := new(roff)
	name := strings.ReplaceAll(node.FullPath(), " ", "-")
	date := ""
	if at := built(); !at.IsZero() {
		date = at.UTC().Format(time.DateOnly)
	}
	r.macro("TH", strings.ToUpper(name), "1", date, "stagecraft "+moduleVersion(), "")
	r.macro("SH", "NAME")
	help, description := node.Help, node.Detail
	if node == top {
		help, description, _ = strings.Cut(node.Help, "\n\n")
	}
	r.text(name + " \\- " + escape(strings.ToLower(help[:1])+strings.TrimSuffix(help[1:], ".")))
	r.macro("SH", "SYNOPSIS")
	r.macro("B", usage(node))
	if description != "" {
		r.macro("SH", "DESCRIPTION")
		r.prose(description)
	}
	r.values("ARGUMENTS", arguments(node))
	if node != top {
		r.values("OPTIONS", flagRows(node.Flags))
	}
	for _, command := range node.Leaves(true) {
		if command == node {
			continue
		}
		r.macro("SH", strings.ToUpper(command.FullPath()))
		r.text(escape(command.Help))
		r.macro("PP")
		r.macro("B", usage(command))
		r.macro("PP")
		r.prose(command.Detail)
		r.list(append(arguments(command), flagRows(command.Flags)...))
	}
	r.values("OPTIONS OF ALL COMMANDS", flagRows(top.Flags))
	r.macro("SH", "EXIT STATUS")
	r.list(exitRows)
	return r.String()
}

// usage is how a command is called.
func usage(node *kong.Node) string {
	return strings.TrimSpace(node.FullPath() + strings.TrimPrefix(node.Summary(), node.Path()))
}

// row is a term with its description.
type row struct{ term, text string }

// exitRows are the codes of docs/cli.md.
var exitRows = []row{
	{fmt.Sprint(ExitDone), "success"},
	{fmt.Sprint(ExitFailed), "the provider or an operation failed, or a check found something; of dev, the command's own"},
	{fmt.Sprint(ExitDenied), "a policy denied something, or the provider is not trusted"},
	{fmt.Sprint(ExitProvider), "the provider cannot be used"},
	{fmt.Sprint(ExitTimeout), "a time limit was exceeded"},
	{fmt.Sprint(ExitEngine), "nothing can build"},
	{fmt.Sprint(ExitConfig), "the configuration, a policy, the lock file or a plan is invalid"},
	{fmt.Sprint(ExitUsage), "the command line is invalid"},
	{fmt.Sprint(ExitInterrupted), "interrupted"},
}

func arguments(node *kong.Node) []row {
	var rows []row
	for _, arg := range node.Positional {
		rows = append(rows, row{arg.Summary(), arg.Help})
	}
	return rows
}

func flagRows(flags []*kong.Flag) []row {
	var rows []row
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		term := f.Summary()
		if f.Tag.Negatable != "" {
			term = "--[no-]" + f.Name
		}
		if f.Short != 0 {
			term = fmt.Sprintf("-%c, %s", f.Short, term)
		}
		rows = append(rows, row{term, f.Help})
	}
	return rows
}

// roff writes a page with the macros of man(7).
type roff struct{ strings.Builder }

// macro writes a request with its arguments.
func (r *roff) macro(name string, args ...string) {
	r.WriteString("." + name)
	for _, arg := range args {
		fmt.Fprintf(r, " \"%s\"", strings.ReplaceAll(escape(arg), `"`, `\(dq`))
	}
	r.WriteString("\n")
}

// text writes a line of escaped text.
func (r *roff) text(line string) { r.WriteString(line + "\n") }

// values writes a section with a list, unless that is empty.
func (r *roff) values(title string, rows []row) {
	if len(rows) > 0 {
		r.macro("SH", title)
		r.list(rows)
	}
}

func (r *roff) list(rows []row) {
	for _, row := range rows {
		r.macro("TP")
		r.macro("B", row.term)
		r.text(escape(row.text))
	}
}

// prose writes paragraphs. Indented lines, as in examples, are kept as they are.
func (r *roff) prose(text string) {
	for i, paragraph := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if i > 0 {
			r.macro("PP")
		}
		kept := false
		for line := range strings.SplitSeq(paragraph, "\n") {
			if strings.HasPrefix(line, "  ") && !kept {
				r.macro("PP")
				r.macro("nf")
				kept = true
			}
			r.text(escape(strings.TrimSpace(line)))
		}
		if kept {
			r.macro("fi")
		}
	}
}

// escape keeps text from being taken for requests and escapes, and its hyphens from
// being typeset: they are copied into command lines.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "~", `\(ti`, "^", `\(ha`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
