package mask

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// forms returns the texts by which a value is known, some of them twice. None
// is shorter than MinLength if the value without the line breaks at its end
// isn't.
func forms(value string) []string {
	text := trimBreaks(value)
	all := []string{
		text,
		string([]rune(text)), // as decoders and printers of JSON have it
		url.QueryEscape(text),
		url.PathEscape(text),
		unquoted(quoteJSON(text, true)),
		unquoted(quoteJSON(text, false)),
	}
	// Only in base64 does a line break change what stands before it.
	for _, s := range []string{text, text + "\n", value} {
		for _, e := range []*base64.Encoding{
			base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
		} {
			all = append(all, e.EncodeToString([]byte(s)))
		}
	}
	return append(all, lines(text)...)
}

// lines returns the lines of text that are worth masking by themselves. A blank
// one isn't: it would be found in each indentation.
func lines(text string) []string {
	var found []string
	for line := range strings.SplitSeq(text, "\n") {
		line = trimBreaks(line)
		if len(line) >= MinLength && strings.TrimSpace(line) != "" {
			found = append(found, line)
		}
	}
	return found
}

func trimBreaks(s string) string {
	return strings.TrimRight(s, "\r\n")
}

func unquoted(s string) string {
	return s[1 : len(s)-1]
}

// quoteJSON returns s as a JSON string.
func quoteJSON(s string, escapeHTML bool) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(escapeHTML)
	if err := e.Encode(s); err != nil {
		panic(err) // a string can be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}
