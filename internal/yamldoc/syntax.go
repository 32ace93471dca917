package yamldoc

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// otherEncoding detects UTF-16 and UTF-32, by the byte order mark or the zero bytes of
// the first character.
func otherEncoding(file string, data []byte) (Problem, bool) {
	if len(data) < 2 {
		return Problem{}, false
	}
	begins := func(with string) bool { return bytes.HasPrefix(data, []byte(with)) }
	found := ""
	switch {
	case begins("\xff\xfe\x00\x00"), begins("\x00\x00\xfe\xff"), bytes.HasPrefix(data[1:], []byte("\x00\x00\x00")):
		found = "UTF-32"
	case begins("\xff\xfe"), begins("\xfe\xff"), (data[0] == 0) != (data[1] == 0):
		found = "UTF-16"
	default:
		return Problem{}, false
	}
	return Problem{Pos{File: file}, "", "the file is " + found + ", expected UTF-8", "save the file as UTF-8"}, true
}

// unreadable finds the first character that YAML does not allow. The parser refuses
// them too, but without a position.
func unreadable(file string, data []byte) (Problem, bool) {
	line := 1
	for l := range bytes.Lines(data) {
		for column := 1; len(l) > 0; column++ {
			r, size := utf8.DecodeRune(l)
			if r == utf8.RuneError && size == 1 {
				return Problem{Pos{file, line, column}, "", "not UTF-8", "save the file as UTF-8"}, true
			}
			if !printable(r) {
				return Problem{Pos{file, line, column}, "", fmt.Sprintf("character %U is not allowed here", r),
					`remove it, or write it as an escape in double quotes, such as "\e" or "\u0007"`}, true
			}
			l = l[size:]
		}
		line++
	}
	return Problem{}, false
}

// printable is c-printable of https://yaml.org/spec/1.2.2/#51-character-set
func printable(r rune) bool {
	return slices.Contains([]rune{'\t', '\n', '\r', 0x85}, r) || r >= ' ' && (r < 0x7f || r >= 0xa0) && r != 0xfffe && r != 0xffff
}

var (
	syntaxError = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^yaml: (?:line (\d+): )?`) })
	// countedFromZero are the errors with a line that is one too low: those of the
	// parser's grammar; those of its scanner are right.
	countedFromZero = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(did not find expected (<|node content|'-' indicator|key|',' or)|found undefined tag handle)`)
	})
	unknownAnchor = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^unknown anchor '([^']*)' referenced`) })
)

// syntaxProblem adds the position to the parser's error. The parser omits the line if
// it is the first.
func syntaxProblem(file string, data []byte, err error) Problem {
	m := syntaxError().FindStringSubmatch(err.Error())
	if m == nil {
		return Problem{Pos: Pos{File: file}, Message: err.Error()}
	}
	message := err.Error()[len(m[0]):]
	if a := unknownAnchor().FindStringSubmatch(message); a != nil {
		return Problem{Pos{file, aliasLine(data, a[1], err), 0}, "", fmt.Sprintf("alias %q has no anchor above it", a[1]),
			fmt.Sprintf("write &%s before the value that it refers to", a[1])}
	}
	line, _ := strconv.Atoi(cmp.Or(m[1], "1"))
	if m[1] != "" && countedFromZero().MatchString(message) {
		line++
	}
	line = min(line, lines(data))
	if tab, ok := tabIndent(file, data, line, message); ok {
		return tab
	}
	return Problem{Pos: Pos{File: file, Line: line}, Message: message}
}

var tabbed = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^ *\t[ \t]*[^ \t\r\n]") })

// tabIndent detects a tab in the indentation of the line where the parser stopped. If
// the error itself mentions a tab, it may be on the next line.
func tabIndent(file string, data []byte, stopped int, message string) (Problem, bool) {
	last := stopped
	if strings.Contains(message, "tab character") {
		last++
	}
	at := 0
	for line := range bytes.Lines(data) {
		if at++; at >= stopped && at <= last && tabbed().Match(line) {
			return Problem{Pos{file, at, 1 + bytes.IndexByte(line, '\t')}, "", "a tab indents this line, expected spaces",
				"replace the tabs at the beginning of lines by spaces"}, true
		}
	}
	return Problem{}, false
}

// lines counts the lines; an error at the end of the file is in its last line.
func lines(data []byte) int {
	return 1 + bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
}

// maxTries is how often a document is read again to find the line of an error.
const maxTries = 16

// aliasLine returns the line of the alias at which the parser stopped, 0 if it is not
// found. The document is read up to each candidate: a comment that only looks like the
// alias gives no error.
func aliasLine(data []byte, name string, stopped error) int {
	line, end, tries := 0, 0, 0
	for l := range bytes.Lines(data) {
		line++
		end += len(l)
		if !bytes.Contains(l, []byte("*"+name)) {
			continue
		}
		if _, err := decode(data[:end]); err != nil && err.Error() == stopped.Error() {
			return line
		}
		if tries++; tries == maxTries {
			break
		}
	}
	return 0
}
