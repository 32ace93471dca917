package lock

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Diff is how a module differs from the one that was agreed to.
type Diff struct{ lines []string }

// Compare says how after differs from before: in what it asks for and could
// call, in its version and ABI, and in its bytes. Order doesn't count.
func Compare(before, after Entry) Diff {
	var d Diff
	d.set(Words(before.Asked), Words(after.Asked), "")
	if len(d.lines) == 0 && !slices.Equal(asks(before.Asked), asks(after.Asked)) {
		// What can't be told in words is told all the same.
		d.lines = append(d.lines, "~ what it asks for is written in another way")
	}
	d.declares(len(Words(before.Asked)) > 0, len(Words(after.Asked)) > 0)
	d.set(imports(before), imports(after), "import ")
	d.change("version", before.Version, after.Version)
	d.change("abi", fmt.Sprint(before.ABI), fmt.Sprint(after.ABI))
	d.change("sha256", before.SHA256, after.SHA256)
	return d
}

// Contradictions says what of an entry is not so by what the module of these
// bytes describes. An entry without a version or imports says nothing of them,
// and one that asks for nothing says that.
func (e Entry) Contradictions(described Entry) []string {
	var said []string
	differ := func(mine, real []string, tooMuch, tooLittle string) {
		for _, line := range mine {
			if !slices.Contains(real, line) {
				said = append(said, tooMuch+": "+line)
			}
		}
		for _, line := range real {
			if !slices.Contains(mine, line) {
				said = append(said, tooLittle+": "+line)
			}
		}
	}
	differ(Words(e.Asked), Words(described.Asked), "asked has what the module does not ask for", "asked does not have what the module asks for")
	if len(said) == 0 && !slices.Equal(asks(e.Asked), asks(described.Asked)) {
		said = append(said, "asked is written in another way than the module writes it")
	}
	if len(e.Imports) > 0 {
		differ(imports(e), imports(described), "imports has what the module does not import", "imports does not have what the module imports")
	}
	if e.Version != "" && e.Version != described.Version {
		said = append(said, fmt.Sprintf("version is %s, and the module's is %s", shown(e.Version), shown(described.Version)))
	}
	if e.ABI != described.ABI {
		said = append(said, fmt.Sprintf("abi is %d, and the module's is %d", e.ABI, described.ABI))
	}
	return said
}

// Same tells whether there is no difference.
func (d Diff) Same() bool { return len(d.lines) == 0 }

// Lines are the differences, added with a +, removed with a -, changed with a
// ~. Nothing in them steers a terminal.
func (d Diff) Lines() []string { return d.lines }

func (d *Diff) set(before, after []string, what string) {
	for _, line := range after {
		if !slices.Contains(before, line) {
			d.lines = append(d.lines, "+ "+what+line)
		}
	}
	for _, line := range before {
		if !slices.Contains(after, line) {
			d.lines = append(d.lines, "- "+what+line)
		}
	}
}

func (d *Diff) declares(before, after bool) {
	switch {
	case before && !after:
		d.lines = append(d.lines, "~ it does not say any more what it needs: it may do what your policy allows")
	case after && !before:
		d.lines = append(d.lines, "~ it says now what it needs, and may do no more than that")
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
		each("exec", c.Exec), each("build", c.Build), each("files", c.Files), each("env", c.Env), each("env_from", c.EnvFrom),
		each("env_files_from", c.EnvFilesFrom), each("env_pass", c.EnvPass), each("env_secret", c.EnvSecret),
		each("connect_from", c.ConnectFrom), each("connect", c.Connect), each("images", c.Images),
	)
	slices.Sort(out)
	return slices.Compact(out)
}

// each is what one kind of request asks for.
func each[T any](kind string, list []T) []string {
	out := make([]string, len(list))
	for i, ask := range list {
		// Made of texts and numbers, it is always JSON.
		data, _ := json.Marshal(ask)
		out[i] = kind + " " + string(data)
	}
	return out
}
