package redact_test

import (
	"encoding/base64"
	"html"
	"net/url"
	"strings"
	"testing"
)

// TestEscapes has a text as other programs escape it.
func TestEscapes(t *testing.T) {
	const value = `p@ss/wörd !*~'()&"<x>`
	s := set(t, value)
	for name, escaped := range map[string]string{
		"url.QueryEscape":            url.QueryEscape(value),
		"url.PathEscape":             url.PathEscape(value),
		"in lower case":              strings.ToLower(url.QueryEscape(value)),
		"encodeURIComponent":         `p%40ss%2Fw%C3%B6rd%20!*~'()%26%22%3Cx%3E`,
		"encodeURI":                  `p@ss/w%C3%B6rd%20!*~'()&%22%3Cx%3E`,
		"URLSearchParams":            `p%40ss%2Fw%C3%B6rd+%21*%7E%27%28%29%26%22%3Cx%3E`,
		"urllib.parse.quote":         `p%40ss/w%C3%B6rd%20%21%2A~%27%28%29%26%22%3Cx%3E`,
		"urllib.parse.quote safe=''": `p%40ss%2Fw%C3%B6rd%20%21%2A~%27%28%29%26%22%3Cx%3E`,
		"html.EscapeString":          html.EscapeString(value),
		"text of XML":                `p@ss/wörd !*~'()&amp;"&lt;x&gt;`,
		"attribute of XML":           `p@ss/wörd !*~'()&amp;&quot;&lt;x&gt;`,
		"html.escape of Python":      `p@ss/wörd !*~&#x27;()&amp;&quot;&lt;x&gt;`,
		"bash -x":                    `p@ss/wörd !*~'\''()&"<x>`,
		"dash -x":                    `p@ss/wörd !*~'"'"'()&"<x>`,
	} {
		if got := s.Text("a" + escaped + "b"); got != "a***b" {
			t.Errorf("%s: got %s", name, got)
		}
	}
	for c := rune(1); c < 0x250; c++ {
		value := "a" + string(c) + "bcd"
		s := set(t, value)
		for _, escaped := range []string{url.QueryEscape(value), url.PathEscape(value), html.EscapeString(value)} {
			if got := s.Text(escaped); got != "***" {
				t.Errorf("%q: got %s of %s", value, got, escaped)
			}
		}
	}
}

// TestWrappedBase64 has a long value as base64 and openssl print it.
func TestWrappedBase64(t *testing.T) {
	value := strings.Repeat("a long secret, ", 12)
	s := set(t, value)
	for _, end := range []string{"", "\n"} {
		encoded := base64.StdEncoding.EncodeToString([]byte(value + end))
		for _, width := range []int{76, 64} {
			var lines []string
			for rest := encoded; rest != ""; rest = rest[min(width, len(rest)):] {
				lines = append(lines, rest[:min(width, len(rest))])
			}
			for _, newline := range []string{"\n", "\r\n"} {
				if got := s.Text("<" + strings.Join(lines, newline) + ">"); got != "<***>" {
					t.Errorf("%d%q%q: got %q", width, end, newline, got)
				}
			}
			for _, line := range lines[:len(lines)-1] {
				if got := s.Text("line " + line); got != "line ***" {
					t.Errorf("%d%q: got %q", width, end, got)
				}
			}
		}
	}
}
