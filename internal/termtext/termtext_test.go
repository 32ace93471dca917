package termtext_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "a\tb\nc", "a\tb\nc"},
		{"letters of all kinds", "größe 日本 ✓", "größe 日本 ✓"},
		{"colour", "\x1b[31mred\x1b[0m", "red"},
		{"title", "\x1b]0;owned\x07text", "text"},
		{"title ended by ST", "\x1b]8;;http://x\x1b\\link", "link"},
		{"title without an end", "\x1b]0;owned\ntext", "\ntext"},
		{"device control", "\x1bPq#0\x1b\\x", "x"},
		{"two characters", "\x1bcreset", "reset"},
		{"three characters", "\x1b#8fill\x1b(Bset", "fillset"},
		{"three characters cut short", "a\x1b(\nb\x1b#", "a\nb"},
		{"escape at the end", "a\x1b", "a"},
		{"sequence cut short", "a\x1b[31", "a"},
		{"C1", "a\u009b31mb", "a31mb"},
		{"bell and backspace", "a\a\bb", "ab"},
		{"overwritten line", "real\rfake", "real\nfake"},
		{"windows lines", "a\r\nb", "a\nb"},
		{"right-to-left override", "a\u202etxt.exe", "atxt.exe"},
		{"zero width", "a\u200bb\ufeffc", "abc"},
		{"line separators", "a\u2028b", "ab"},
		{"Hangul fillers", "a\u115fb\u1160c\u3164d\uffa0e", "abcde"},
		{"Hangul", "한글 \u1100\u1161", "한글 \u1100\u1161"},
		{"Mongolian separator", "a\u180eb\u180bc", "abc"},
		{"grapheme joiner", "a\u034fb", "ab"},
		{"Khmer vowels without a shape", "a\u17b4b", "ab"},
		{"braille blank", "a\u2800b\u2801", "ab\u2801"},
		{"tags", "a\U000e0001\U000e0041\U000e007fb", "ab"},
		{"variation selectors", "a\ufe00b\ufe0fc\U000e0100d", "abcd"},
		{"specials", "a\ufff0b\ufff9c\ufffcd", "abc\ufffcd"},
		{"emoji", "\u2764\ufe0f 1\ufe0f\u20e3 \U0001f469\u200d\U0001f4bb", "\u2764 1\u20e3 \U0001f469\U0001f4bb"},
		{"marks", "e\u0301 \u0939\u093f", "e\u0301 \u0939\u093f"},
		{"invalid", "a\xffb", "ab"},
		{"NUL", "a\x00b", "ab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := termtext.Clean(tt.in); got != tt.want {
				t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	if got := termtext.Line("  a\n\x1b[1mb ", 10); got != "a b" {
		t.Errorf("got %q", got)
	}
	if got := termtext.Line("äöüäöü", 4); got != "äöü…" {
		t.Errorf("got %q", got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[31mred\x1b]0;x\x07\r\n\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := termtext.Clean(s)
		if !utf8.ValidString(got) {
			t.Errorf("%q: invalid UTF-8", got)
		}
		if strings.ContainsAny(got, "\x1b\r\x00\x07\u202e\u009b") {
			t.Errorf("%q: a control character is left", got)
		}
		if again := termtext.Clean(got); again != got {
			t.Errorf("not idempotent: %q, then %q", got, again)
		}
	})
}
