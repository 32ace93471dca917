package actions

import (
	"strings"
	"testing"
	"unicode"
)

// runner is a model of the runner, which reads a step's output, after its source
// (github.com/actions/runner at 258d6c857db3):
//
//   - lines: src/Runner.Sdk/ProcessInvoker.cs, StreamReader.ReadLine of .NET;
//   - commands: src/Runner.Common/ActionCommand.cs, TryParseV2 and TryParse;
//   - stops: src/Runner.Worker/ActionCommandManager.cs, TryProcessCommand.
type runner struct {
	// index finds a text from a byte on, like .NET's IndexOf(string): by the rules of a
	// language, unless globalization is disabled.
	index    func(s, sub string, from int) int
	token    string    // registered, and stops all others, when it isn't empty
	commands []command // that were obeyed
	output   []string  // all other lines
}

type command struct {
	name       string
	properties map[string]string
	data       string
}

var commandNames = []string{
	"stop-commands", "set-env", "set-output", "save-state", "add-mask", "add-path", "add-matcher", "remove-matcher",
	"debug", "warning", "error", "notice", "group", "endgroup", "echo", "internal-set-repo-path",
}

// runners are the models of both ways to compare.
func runners() map[string]*runner {
	return map[string]*runner{"ordinal": {index: ordinal}, "by language": {index: byLanguage}}
}

func ordinal(s, sub string, from int) int {
	if i := strings.Index(s[from:], sub); i >= 0 {
		return from + i
	}
	return -1
}

// byLanguage ignores characters without weight in Unicode's collation, and does not find
// text that a combining character follows.
func byLanguage(s, sub string, from int) int {
	for start := from; start < len(s); start++ {
		if end := matchWeighed(s[start:], sub); end >= 0 {
			if next := []rune(s[start+end:] + " ")[0]; !unicode.Is(unicode.M, next) || weightless(next) {
				return start
			}
		}
	}
	return -1
}

func matchWeighed(s, sub string) int {
	for i, r := range s {
		switch {
		case strings.HasPrefix(sub, string(r)):
			if sub = sub[len(string(r)):]; sub == "" {
				return i + len(string(r))
			}
		case i == 0 || !weightless(r):
			return -1
		}
	}
	return -1
}

func weightless(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector) || unicode.Is(unicode.Cc, r) && !unicode.IsSpace(r) || r == '\u034f'
}

// read processes a whole stream.
func (r *runner) read(stream string) {
	text := strings.TrimPrefix(strings.ToValidUTF8(stream, "\ufffd"), "\ufeff")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if c, ok := r.parse(line); !ok || !r.process(c) {
			r.output = append(r.output, line)
		}
	}
}

func (r *runner) parse(line string) (command, bool) {
	if c, ok := r.parseV2(line); ok {
		return c, true
	}
	return r.parseV1(line)
}

func (r *runner) parseV2(line string) (command, bool) {
	line = strings.TrimLeftFunc(line, unicode.IsSpace)
	// By language ":\u200b:" is found as well, but the name begins at the third
	// character, so it is not a registered one.
	if r.index(line, "::", 0) != 0 || !strings.HasPrefix(line, "::") {
		return command{}, false
	}
	end := r.index(line, "::", 2)
	if end < 0 {
		return command{}, false
	}
	after := min(end+2, len(line))
	return r.command(line[2:end], ",", line[after:], [][2]string{{"%0D", "\r"}, {"%0A", "\n"}},
		[][2]string{{"%0D", "\r"}, {"%0A", "\n"}, {"%3A", ":"}, {"%2C", ","}}, strings.TrimSpace)
}

func (r *runner) parseV1(line string) (command, bool) {
	start := r.index(line, "##[", 0)
	if start < 0 || start+3 > len(line) {
		return command{}, false
	}
	length := strings.Index(line[start:], "]")
	if length < 3 {
		return command{}, false
	}
	escapes := [][2]string{{"%3B", ";"}, {"%0D", "\r"}, {"%0A", "\n"}, {"%5D", "]"}}
	return r.command(line[start+3:start+length], ";", line[start+length+1:], escapes, escapes, func(s string) string { return s })
}

func (r *runner) command(info, separator, data string, ofData, ofProperties [][2]string, trim func(string) string) (command, bool) {
	name, rest, _ := strings.Cut(info, " ")
	if !r.registered(name) {
		return command{}, false
	}
	c := command{name: strings.ToLower(name), properties: map[string]string{}, data: unescape(data, ofData)}
	for property := range strings.SplitSeq(trim(rest), separator) {
		// .NET drops empty parts: a value loses a leading "=".
		key, value, ok := strings.Cut(strings.TrimLeft(property, "="), "=")
		if value = strings.TrimLeft(value, "="); ok && value != "" {
			c.properties[strings.ToLower(key)] = unescape(value, ofProperties)
		}
	}
	return c, true
}

func unescape(s string, escapes [][2]string) string {
	for _, e := range escapes {
		s = strings.ReplaceAll(s, e[0], e[1])
	}
	return strings.ReplaceAll(s, "%25", "%")
}

func (r *runner) registered(name string) bool {
	if r.token != "" && strings.EqualFold(name, r.token) {
		return true
	}
	for _, known := range commandNames {
		if strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

// process returns false for a line of output.
func (r *runner) process(c command) bool {
	switch {
	case r.token != "" && strings.EqualFold(c.name, r.token):
		r.token = ""
		return true
	case r.token != "":
		return false
	case c.name == "stop-commands":
		r.token = c.data
	}
	r.commands = append(r.commands, c)
	return true
}

// attacks are lines that the runner executes.
var attacks = []string{
	"::set-env name=PATH::/evil",
	"::add-mask::a",
	"::stop-commands::mine",
	"::save-state name=x::y",
	"::set-output name=image::evil",
	"::add-matcher::evil.json",
	"::ERROR::text",
	" \t::warning::text",
	"\u00a0\u2003\u2028::debug::text",
	"\u0085::group::text",
	"\ufeff::debug::text",
	"::error title=a,file=b::c%0Ad",
	"##[error]text",
	"before ##[set-env name=x;]y",
	"##[add-mask]%5D",
	"###[group]x",
	"first\n::error::second",
	"first\r::error::second",
	"first\r\n::error::second",
	"::error:\u200b:an end that isn't seen",
	"\xff ##[warning]x",
	"::endgroup::",
}

// TestRunner: the model executes the attacks.
func TestRunner(t *testing.T) {
	for _, text := range attacks {
		seen := 0
		for _, r := range runners() {
			r.read(text)
			seen += len(r.commands)
		}
		if seen == 0 {
			t.Errorf("%q: no runner sees a command", text)
		}
	}
	r := runner{index: ordinal}
	r.read("::error title=a%2Cb%253A,line=3::x%0A%250Ay\n::stop-commands::T\n::error::no\n##[error]no\n::t::\n##[warning a=b%5D]c")
	if len(r.commands) != 3 || len(r.output) != 2 {
		t.Fatalf("commands %q, output %q", r.commands, r.output)
	}
	if c := r.commands[0]; c.data != "x\n%0Ay" || c.properties["title"] != "a,b%3A" || c.properties["line"] != "3" {
		t.Errorf("%q", c)
	}
	if c := r.commands[2]; c.name != "warning" || c.data != "c" || c.properties["a"] != "b]" {
		t.Errorf("%q", c)
	}
	for _, text := range []string{"a ::error::x", "::unknown::x", "::error:x", "##[unknown]x", "##[error", ":\u200b:error::x", "#\u200b#[error]x", "a\u2028::error::x", "a\u0085::error::x"} {
		for name, r := range runners() {
			if r.read(text); len(r.commands) > 0 {
				t.Errorf("%s, %q: sees %q", name, text, r.commands)
			}
		}
	}
}
