package redact

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
)

// maxRare is the most bytes of a value that is found in its rarer forms: each form
// takes memory for every byte of the value.
const maxRare = 16 << 10

// forms returns the forms of a value, with duplicates. None is shorter than MinLength
// if the value without line breaks at its end is not.
func forms(value string) []string {
	text := trimBreaks(value)
	all := []string{
		text,
		string([]rune(text)), // as JSON decoders and encoders do
		unquoted(quoteJSON(text, true)),
		unquoted(quoteJSON(text, false)),
	}
	if len(text) <= maxRare {
		all = append(all, percentForms(text)...)
		all = append(all, quotedForms(text)...)
	} else {
		all = append(all, url.QueryEscape(text), url.PathEscape(text))
	}
	// Only in base64 does a line break change what is before it.
	for _, s := range []string{text, text + "\n", value} {
		for _, e := range []*base64.Encoding{
			base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
		} {
			all = append(all, e.EncodeToString([]byte(s)))
		}
		if len(s) <= maxRare {
			all = append(all, wrappedForms(base64.StdEncoding.EncodeToString([]byte(s)))...)
		}
	}
	return append(all, lines(text)...)
}

// wrappedForms returns the lines in which programs print long base64: of 76 characters
// (base64, MIME) or 64 (openssl, PEM). The last line is one of them if it is too long to
// occur by chance.
func wrappedForms(encoded string) []string {
	const least = 16
	var all []string
	for _, width := range []int{76, 64} {
		if len(encoded) <= width {
			continue
		}
		var lines []string
		for line := range slices.Chunk([]byte(encoded), width) {
			lines = append(lines, string(line))
			if len(line) >= least {
				all = append(all, string(line))
			}
		}
		// After the other lines, the last one does not occur by chance.
		all = append(all, strings.Join(lines, "\n"), strings.Join(lines, "\r\n"))
	}
	return all
}

// lines returns the lines to mask by themselves. A blank one would be found in any
// indentation.
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

// percentEscape is one way to escape a text for a URL.
type percentEscape struct {
	// keep are the characters not escaped, besides letters, digits, - _ and .
	keep string
	// plus escapes a space as + and not as %20.
	plus bool
}

var percentEscapes = []percentEscape{
	{"~", false},                 // RFC 3986: rawurlencode of PHP, uri of jq
	{"~", true},                  // url.QueryEscape, quote_plus of Python
	{"~$&+:=@", false},           // url.PathEscape
	{"~/", false},                // quote of Python
	{"~!'()*", false},            // encodeURIComponent
	{"~!'()*;,/?:@&=+$#", false}, // encodeURI
	{"*", true},                  // forms: URLSearchParams, https://url.spec.whatwg.org
}

// percentForms returns the forms of a text in URLs.
func percentForms(text string) []string {
	var all []string
	for _, e := range percentEscapes {
		all = append(all, e.escape(text, "0123456789ABCDEF"), e.escape(text, "0123456789abcdef"))
	}
	return all
}

func (e percentEscape) escape(text, digits string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == ' ' && e.plus:
			b.WriteByte('+')
		case isWordByte(c) || strings.IndexByte("-_."+e.keep, c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// quotedForms returns the forms of a text in markup, and in the single quotes of a
// shell, which traces commands so with -x.
func quotedForms(text string) []string {
	markup := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	return []string{
		html.EscapeString(text), markup.Replace(text), strings.ReplaceAll(markup.Replace(text), `"`, "&quot;"),
		strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;").Replace(text), // escape of Python
		strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(text),
		strings.ReplaceAll(text, "'", `'\''`), strings.ReplaceAll(text, "'", `'"'"'`),
	}
}
