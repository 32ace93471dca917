package lock

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Diff lists how a module differs from the trusted one.
type Diff struct{ lines []string }

// Compare says how after differs from before: in what it asks for and could
// call, in its version and ABI, and in its bytes. Order does not count.
func Compare(before, after Entry) Diff {
	var d Diff
	d.set(Words(before.Asked), Words(after.Asked), "")
	if len(d.lines) == 0 && !slices.Equal(asks(before.Asked), asks(after.Asked)) {
		// Words leave out some details: report the difference anyway.
		d.lines = append(d.lines, "~ asks for the same in other words")
	}
	d.declares(len(Words(before.Asked)) > 0, len(Words(after.Asked)) > 0)
	d.set(imports(before), imports(after), "import ")
	d.change("version", before.Version, after.Version)
	d.change("abi", fmt.Sprint(before.ABI), fmt.Sprint(after.ABI))
	d.change("sha256", before.SHA256, after.SHA256)
	return d
}

// Contradictions lists what an entry says about its module and the module's own
// description denies. An entry without a version or imports makes no claim about
// them; an entry without asks claims that the module asks for nothing.
func (e Entry) Contradictions(described Entry) []string {
	var said []string
	differ := func(mine, real []string, tooMuch, tooLittle string) {
		for _, line := range without(mine, real) {
			said = append(said, tooMuch+": "+line)
		}
		for _, line := range without(real, mine) {
			said = append(said, tooLittle+": "+line)
		}
	}
	differ(Words(e.Asked), Words(described.Asked), "asked has an extra entry", "asked misses an entry")
	if len(said) == 0 && !slices.Equal(asks(e.Asked), asks(described.Asked)) {
		said = append(said, "asked differs from the module's own text")
	}
	if len(e.Imports) > 0 {
		differ(imports(e), imports(described), "imports has an extra entry", "imports misses an entry")
	}
	if e.Version != "" && e.Version != described.Version {
		said = append(said, fmt.Sprintf("version is %s, the module has %s", shown(e.Version), shown(described.Version)))
	}
	if e.ABI != described.ABI {
		said = append(said, fmt.Sprintf("abi is %d, the module has %d", e.ABI, described.ABI))
	}
	return said
}

// Same reports whether there is no difference.
func (d Diff) Same() bool { return len(d.lines) == 0 }

// Lines are the differences, added with a +, removed with a -, changed with a
// ~. Nothing in them steers a terminal.
func (d Diff) Lines() []string { return d.lines }

func (d *Diff) set(before, after []string, what string) {
	for _, line := range without(after, before) {
		d.lines = append(d.lines, "+ "+what+line)
	}
	for _, line := range without(before, after) {
		d.lines = append(d.lines, "- "+what+line)
	}
}

// without returns the lines that are not among others.
func without(lines, others []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(others, line) })
}

func (d *Diff) declares(before, after bool) {
	switch {
	case before && !after:
		d.lines = append(d.lines, "~ no longer says what it needs: your policy alone limits it")
	case after && !before:
		d.lines = append(d.lines, "~ says what it needs now, and may do no more than that")
	}
}

func (d *Diff) change(what, before, after string) {
	if before != after {
		d.lines = append(d.lines, fmt.Sprintf("~ %s %s -> %s", what, shown(before), shown(after)))
	}
}

func imports(e Entry) []string {
	var out []string
	for _, name := range e.Imports {
		out = append(out, termtext.Mark(termtext.Line(name, 200)))
	}
	return out
}

func shown(text string) string { return termtext.Mark(termtext.Line(text, 100)) }

// asks lists what is asked for, each in JSON, sorted.
func asks(c abi.Capabilities) []string {
	out := slices.Concat(
		each("exec", c.Exec), each("build", c.Build), each("files", c.Files), each("files_from", c.FilesFrom), each("env", c.Env), each("env_from", c.EnvFrom),
		each("env_files_from", c.EnvFilesFrom), each("env_pass", c.EnvPass), each("env_secret", c.EnvSecret),
		each("connect_from", c.ConnectFrom), each("connect", c.Connect), each("images", c.Images), each("daemons", c.Daemons),
	)
	slices.Sort(out)
	return slices.Compact(out)
}

// each encodes the asks of one kind.
func each[T any](kind string, list []T) []string {
	out := make([]string, len(list))
	for i, ask := range list {
		// It has texts and numbers only, so this cannot fail.
		data, _ := json.Marshal(ask)
		out[i] = kind + " " + string(data)
	}
	return out
}
