package sandbox

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLogLines(t *testing.T) {
	for name, tt := range map[string]struct {
		printed []string
		want    []string
		crash   string
	}{
		"nothing":          {nil, nil, "crashed: why"},
		"pieces":           {[]string{"a", "b\nc", "\n"}, []string{"ab", "c"}, "crashed: why (it last printed: c)"},
		"no end":           {[]string{"a\nb"}, []string{"a", "b"}, "crashed: why (it last printed: b)"},
		"empty lines":      {[]string{"a\n\n \n"}, []string{"a"}, "crashed: why (it last printed: a)"},
		"signs":            {[]string{"\x1b]0;title\x07a\x1b[2J\rb\xff\n"}, []string{"ab"}, ""},
		"a long line":      {[]string{strings.Repeat("x", 600), strings.Repeat("y", 600) + "\nz\n"}, []string{strings.Repeat("x", 600) + strings.Repeat("y", 400), "z"}, ""},
		"a Go panic":       {[]string{"panic: oh\n\ngoroutine 1\n", "main.go:1\n"}, []string{"panic: oh", "goroutine 1", "main.go:1"}, "crashed: panic: oh"},
		"the same reason":  {[]string{"why\n"}, []string{"why"}, "crashed: why"},
		"a Rust panic":     {[]string{"thread 'main' panicked at src/lib.rs:1:1:\noh\n"}, []string{"thread 'main' panicked at src/lib.rs:1:1:", "oh"}, "crashed: why (it last printed: oh)"},
		"a later headline": {[]string{"fatal error: a\npanic: b\n"}, []string{"fatal error: a", "panic: b"}, "crashed: fatal error: a"},
	} {
		var got []string
		l := &logLines{show: func(line string) { got = append(got, line) }}
		for _, text := range tt.printed {
			l.add([]byte(text))
		}
		crash := l.crash("why").Error()
		if name == "signs" {
			if len(got) != 1 || strings.ContainsAny(got[0], "\x1b\x07\r") || !utf8.ValidString(got[0]) {
				t.Errorf("signs: %q", got)
			}
			continue
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
		if tt.crash != "" && crash != tt.crash {
			t.Errorf("%s: got %q, want %q", name, crash, tt.crash)
		}
	}
}

func TestLogIsBounded(t *testing.T) {
	size, last := 0, ""
	l := &logLines{show: func(line string) { size, last = size+len(line), line }}
	for range 2 * maxLog / 100 {
		l.add([]byte(strings.Repeat("x", 99) + "\n"))
	}
	if size > maxLog+100 || last != "(more output of the provider is not shown)" {
		t.Errorf("%d bytes, the last line is %q", size, last)
	}
}
