package actions

import (
	"bytes"
	"strings"
	"unicode"
)

// Defang makes text safe to print while commands are not stopped: it inserts a
// backslash into the start of a command and into "##[", as the runner does with its
// own markers. Other lines stay unchanged.
func Defang(text string) string {
	if !strings.Contains(text, ":") && !strings.Contains(text, "##[") {
		return text
	}
	var b strings.Builder
	for text != "" {
		// The runner's lines end with LF, CR or both, and nothing else.
		end := strings.IndexAny(text, "\r\n") + 1
		if end == 0 {
			end = len(text)
		}
		b.WriteString(defangLine(text[:end]))
		text = text[end:]
	}
	return b.String()
}

func defangLine(line string) string {
	line = strings.ReplaceAll(line, "##[", `##[\`)
	if i := indexVisible(line); i >= 0 && line[i] == ':' {
		rest := line[i+1:]
		if j := indexVisible(rest); j >= 0 && rest[j] == ':' {
			return line[:i+1] + `\` + rest
		}
	}
	return line
}

// indexVisible finds the first character that is neither space nor ignorable in .NET's
// comparison of words; -1 for none.
func indexVisible(s string) int {
	return strings.IndexFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
	})
}

// DefangJSON makes a JSON document safe without changing its meaning. A line of JSON
// never begins like a command, but a string may contain "##[".
func DefangJSON(doc []byte) []byte {
	return bytes.ReplaceAll(doc, []byte("##["), []byte(`##\u005b`))
}
