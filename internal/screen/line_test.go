package screen

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// assembled returns the lines of what is written in these parts.
func assembled(mask func(string) string, parts ...string) (shown, plain []string) {
	a := assembler{mask: mask, size: func() (int, int) { return 20, 5 }, done: func(l line) {
		shown, plain = append(shown, string(l.shown)), append(plain, string(l.plain))
	}}
	for _, part := range parts {
		_, _ = a.Write([]byte(part))
	}
	a.flush()
	return shown, plain
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for name, tt := range map[string]struct {
		in          string
		want, plain string // lines, each with its end; plain is the same if empty
	}{
		"nothing":            {"", "", ""},
		"lines":              {"a\nb\n", "a\nb\n", ""},
		"empty lines":        {"\n\n", "\n\n", ""},
		"no end":             {"a\nb", "a\nb\n", ""},
		"of a terminal":      {"a\r\nb\r\n", "a\nb\n", ""},
		"raw in a terminal":  {"a\r\r\n", "a\n", ""},
		"tab":                {"a\tb\n", "a\tb\n", ""},
		"progress":           {"10%\r20%\r100%\n", "100%\n", ""},
		"shorter":            {"compiling\rdone\n", "doneiling\n", ""},
		"erased":             {"compiling\r\x1b[Kdone\n", "done\n", ""},
		"erased before":      {"abc\x1b[1Kd\n", "   d\n", ""},
		"erased whole":       {"abc\x1b[2K\rd\n", "d\n", ""},
		"only erased":        {"abc\r\x1b[K", "", ""},
		"erased then ended":  {"abc\r\x1b[K\n", "\n", ""},
		"backspace":          {"abc\b\bX\n", "aXc\n", ""},
		"column":             {"abc\x1b[2GX\x1b[6GY\n", "aXc  Y\n", ""},
		"forth and back":     {"ab\x1b[2Cc\x1b[3DX\n", "abX c\n", ""},
		"delete and insert":  {"abcdef\r\x1b[2P\x1b[1@X\n", "Xcdef\n", ""},
		"erase characters":   {"abcdef\r\x1b[2X\n", "  cdef\n", ""},
		"tab overwritten":    {"a\tb\rX\n", "X       b\n", ""},
		"colour":             {"\x1b[31mred\x1b[0m plain\n", "\x1b[31mred\x1b[0m plain\n", "red plain\n"},
		"colour goes on":     {"\x1b[1;31ma\nb\x1b[m\nc\n", "\x1b[1;31ma\x1b[0m\n\x1b[1;31mb\x1b[0m\nc\n", "a\nb\nc\n"},
		"colour left on":     {"a\x1b[32mb", "a\x1b[32mb\x1b[0m\n", "ab\n"},
		"colour overwritten": {"\x1b[31mred\x1b[0m\rb\n", "b\x1b[31med\x1b[0m\n", "bed\n"},
		"many colours":       {"\x1b[38;5;200;48;2;1;2;3mx\x1b[39;49m\n", "\x1b[38;5;200;48;2;1;2;3mx\x1b[0m\n", "x\n"},
		"colours of ISO":     {"\x1b[38:2::9:8:7mx\x1b[38:5:9my\x1b[4:0m\n", "\x1b[38;2;9;8;7mx\x1b[0;91my\x1b[0m\n", "xy\n"},
		"bright":             {"\x1b[91;104mx\x1b[22;23;24;25;27;28;29m\n", "\x1b[91;104mx\x1b[0m\n", "x\n"},
		"title":              {"a\x1b]0;title\x07b\x1b]2;t\x1b\\c\n", "abc\n", ""},
		"title without end":  {"a\x1b]0;title\nb\n", "a\nb\n", ""},
		"device control":     {"a\x1bPq#0\x1b\\b\x1b_x\x1b\\c\n", "abc\n", ""},
		"link":               {"\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\\n", "text\n", ""},
		"clear":              {"a\x1b[2J\x1b[3J\x1b[Hb\n", "a\nb\n", ""},
		"clear below":        {"abc\r\x1b[Jd\n", "d\n", ""},
		"up":                 {"one\ntwo\n\x1b[2Athree\n", "one\ntwo\nthree\n", ""},
		"positions":          {"\x1b[1;1Ha\x1b[5;7Hb\x1b[2dc", "a\nb\nc\n", ""},
		"other screen":       {"a\x1b[?1049hb\x1b[?1049lc\n", "a\nb\nc\n", ""},
		"modes":              {"a\x1b[?25lb\x1b[?2004hc\x1b[4h\x1b=d\n", "abcd\n", ""},
		"questions":          {"a\x1b[6nb\x1b[cc\x1b[>cd\x1b[5nc\n", "abcdc\n", ""},
		"character sets":     {"a\x1b(0b\x0ec\x0fd\n", "abcd\n", ""},
		"reset":              {"a\x1bcb\n", "a\nb\n", ""},
		"bell":               {"a\ab\n", "ab\n", ""},
		"C1":                 {"a\u009b31mb\u0085c\n", "a31mbc\n", ""},
		"not UTF-8":          {"a\xffb\x9bc\xc3\n", "a\uFFFDb\uFFFDc\uFFFD\n", ""},
		"wide":               {"日本\rX\n", "X 本\n", ""},
		"combining":          {"e\u0301x\rf\n", "fx\n", ""},
		"marks":              {"\rae\u0301\n", "ae\u0301\n", ""},
		"long":               {long + "y\n", long + "\ny\n", ""},
		"endless sequence":   {"a\x1b[" + strings.Repeat("1", 4096) + "mb\n", "ab\n", ""},
		"aborted sequence":   {"a\x1b[3\nb\n", "a\nb\n", ""},
		"far":                {"a\x1b[999999999Gb\x1b[999Cc\x1b[999D.\r\n", "." + strings.Repeat(" ", 18) + "bc\n", ""},
		"spaces":             {"a\r\x1b[2000000000@\x1b[2000000000P\x1b[2000000000Xb\n", "b\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			shown, plain := assembled(nil, tt.in)
			if got := lines(shown); got != tt.want {
				t.Errorf("shown\n%q, want\n%q", got, tt.want)
			}
			if tt.plain == "" {
				tt.plain = tt.want
			}
			if got := lines(plain); got != tt.plain {
				t.Errorf("plain\n%q, want\n%q", got, tt.plain)
			}
			// It does not matter in which parts a program writes.
			parts := make([]string, len(tt.in))
			for i := range parts {
				parts[i] = tt.in[i : i+1]
			}
			single, _ := assembled(nil, parts...)
			if !slices.Equal(single, shown) {
				t.Errorf("byte by byte\n%q, at once\n%q", single, shown)
			}
		})
	}
}

func lines(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, "\n") + "\n"
}

// TestLinesMasked: a value that was written in pieces is masked too.
func TestLinesMasked(t *testing.T) {
	mask := func(s string) string { return strings.ReplaceAll(s, "s3cret", "***") }
	for _, in := range []string{"a s3\x1b[1mcret\x1b[0m b", "a s3\x1b[?25hcret b", "a s3\acret b", "a xxcret b\r\x1b[2Cs3\n"} {
		shown, plain := assembled(mask, in)
		if lines(shown) != "a *** b\n" || lines(plain) != "a *** b\n" {
			t.Errorf("%q: got %q, %q", in, shown, plain)
		}
	}
}

// FuzzLines: whatever is written, lines are UTF-8 with SGR sequences only, are not longer
// than allowed, and are the same in any parts.
func FuzzLines(f *testing.F) {
	for _, in := range []string{"a\r\n", "\x1b[31ma\x1b[2Kb\rc\b", "\x1b]0;x\x07\u009b\xff日\x1b[10G\t", "\x1b[?1049h\x1b(0\x0e"} {
		f.Add([]byte(in), 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		at = min(max(at, 0), len(data))
		shown, plain := assembled(nil, string(data))
		for i, l := range shown {
			rest := sgr.ReplaceAllString(l, "")
			if rest != plain[i] || !utf8.ValidString(l) || len(plain[i]) > maxCells*(4+maxMarks)+maxLine {
				t.Fatalf("line %q with text %q", l, plain[i])
			}
			if bytes.ContainsFunc([]byte(rest), func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 }) {
				t.Fatalf("line %q", l)
			}
		}
		if again, _ := assembled(nil, string(data[:at]), string(data[at:])); !slices.Equal(again, shown) {
			t.Fatalf("in parts %q, at once %q", again, shown)
		}
	})
}
