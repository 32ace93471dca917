package redact

import (
	"html"
	"strings"
)

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
