package actions

import (
	"bytes"
	"strings"
	"unicode"
)

// Defang makes text harmless that is printed where commands aren't stopped: in
// a line that begins as a command does, and in "##[" anywhere, a backslash is
// put, as the runner itself does with its own marks. Other lines stay as they
// are.
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

// indexVisible finds the first character that is neither blank nor one that
// .NET's comparison of words may pass over; -1 when there is none.
func indexVisible(s string) int {
	return strings.IndexFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
	})
}

// DefangJSON makes a JSON document harmless for the runner without a change of
// its meaning. A line of JSON never begins as a command does, but "##[" may
// stand in a string.
func DefangJSON(doc []byte) []byte {
	return bytes.ReplaceAll(doc, []byte("##["), []byte(`##\u005b`))
}
