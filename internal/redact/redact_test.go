package redact_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

func set(t testing.TB, values ...string) *redact.Set {
	t.Helper()
	s := new(redact.Set)
	for _, v := range values {
		if !s.Add(v) {
			t.Fatalf("%q isn't masked", v)
		}
	}
	return s
}

func TestAdd(t *testing.T) {
	for _, tt := range []struct {
		value         string
		masked, empty bool
	}{
		{"", true, true},
		{"\r\n\n\n\n", true, true},
		{"abc", false, true},
		{"abc\r\n", false, true},
		{"abcd", true, false},
		{"ä\xff\xff", true, false},
	} {
		var s redact.Set
		if got := s.Add(tt.value); got != tt.masked {
			t.Errorf("Add(%q) = %v", tt.value, got)
		}
		if got := s.Empty(); got != tt.empty {
			t.Errorf("Add(%q), then Empty() = %v", tt.value, got)
		}
	}
}

func TestNone(t *testing.T) {
	for _, s := range []*redact.Set{nil, {}} {
		var b strings.Builder
		w := s.Writer(&b)
		fmt.Fprint(w, "text")
		if b.String() != "text" || w.Close() != nil {
			t.Errorf("Writer: %q", b.String())
		}
		if got := s.Text("text"); got != "text" {
			t.Errorf("Text: %q", got)
		}
		if got := s.JSON([]byte(`{"a":"text"}`)); string(got) != `{"a":"text"}` {
			t.Errorf("JSON: %q", got)
		}
		if !s.Empty() {
			t.Error("not empty")
		}
	}
}

// TestForms holds each form by itself, as it would be typed.
func TestForms(t *testing.T) {
	const bin = "<\"\xfb\xff\xfe> k&/%" // differs in all alphabets and escapes
	for _, tt := range []struct{ name, value, in, want string }{
		{"itself", "s3cret", "a s3cret.", "a ***."},
		{"no other case", "s3cret", "S3CRET", "S3CRET"},
		{"not a part", "s3cret", "s3cre", "s3cre"},
		{"line break at the end", "s3cret\n", "s3cret\nnext", "***\nnext"},
		{"line break at the end, not there", "s3cret\r\n", "s3cretnext", "***next"},
		{"several lines", "first\nsecond", "first\nsecond", "***"},
		{"one line", "first\nsecond\n", "x second y", "x *** y"},
		{"one line of Windows", "first\r\nsecond\r\n", "first\nsecond", "***\n***"},
		{"short line alone", "first\nabc", "first abc", "*** abc"},
		{"short line within", "first\nabc\nsecond", "first\nabc\nsecond", "***"},
		{"blank line", "first\n     \nlast", "      x", "      x"},
		{"base64", "a+b?c>>", "YStiP2M+Pg==", "***"},
		{"base64 unpadded", "a+b?c>>", "YStiP2M+Pg", "***"},
		{"base64 URL", "a+b?c>>", "YStiP2M-Pg==", "***"},
		{"base64 URL unpadded", "a+b?c>>", "YStiP2M-Pg", "***"},
		{"base64 with a newline", "s3cret", "czNjcmV0Cg==", "***"},
		{"base64 with its line break", "s3cret\r\n", "czNjcmV0DQo=", "***"},
		{"base64 without its line break", "s3cret\r\n", "czNjcmV0", "***"},
		{"query", bin, "q=%3C%22%FB%FF%FE%3E+k%26%2F%25;", "q=***;"},
		{"path", bin, "/%3C%22%FB%FF%FE%3E%20k&%2F%25/", "/***/"},
		{"JSON with HTML", bin, `"\u003c\"\ufffd\ufffd\ufffd\u003e k\u0026/%"`, `"***"`},
		{"JSON without HTML", bin, `"<\"\ufffd\ufffd\ufffd> k&/%"`, `"***"`},
		{"JSON, quotes at the ends", `"a\b"`, `"\"a\\b\""`, `"***"`},
		{"JSON, lines", "one\ntwo", `"one\ntwo"`, `"***"`},
		{"not UTF-8", bin, "<\"\ufffd\ufffd\ufffd> k&/%", "***"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := set(t, tt.value).Text(tt.in); got != tt.want {
				t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestOccurrences(t *testing.T) {
	for _, tt := range []struct {
		name     string
		values   []string
		in, want string
	}{
		{"longest", []string{"token", "token-long"}, "token-long token", "*** ***"},
		{"longest not there", []string{"token", "token-long"}, "token-lon", "***-lon"},
		{"within", []string{"a-token-b", "token"}, "a-token-b a-token-c", "*** a-***-c"},
		{"overlapping", []string{"abcdef", "defghi"}, "xabcdefghix", "x***x"},
		{"overlapping in a chain", []string{"abcd", "cdef", "efgh"}, "abcdefgh", "***"},
		{"itself overlapping", []string{"abab"}, "abababab.", "***."},
		{"touching", []string{"token"}, "tokentoken", "***"},
		{"touching, two values", []string{"first", "second"}, "firstsecond", "***"},
		{"a false start", []string{"aaab", "aabc"}, "aaaabc", "a***"},
		{"a start within a start", []string{"abcabd", "cabz"}, "abcabz", "ab***"},
		{"stars around", []string{"token"}, "*token*", "*****"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := set(t, tt.values...).Text(tt.in); got != tt.want {
				t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// TestLinear wants the time for values and texts that resemble each other most
// to grow with their length only. Squared, these would take hours, and more than
// all tests may.
func TestLinear(t *testing.T) {
	const size = 64 << 10
	run := strings.Repeat("a", size)
	s := set(t, run+"b", run+"\nc", strings.Repeat("ab", size/2)+"c", "aaaa"+"!")
	for _, text := range []string{strings.Repeat("a", 8<<20), strings.Repeat(run[1:]+"b", 16), strings.Repeat("ab", 4<<20)} {
		s.Text(text)
	}
	set(t, strings.Repeat("a", 8)).Text(strings.Repeat("a", 8<<20))
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	var s redact.Set
	var out strings.Builder
	w := s.Writer(&out)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				value := fmt.Sprintf("value-%d-%d;", i, j)
				s.Add(value)
				if got := s.Text(value); got != "***" {
					t.Errorf("Text: %q", got)
				}
				if got := s.JSON([]byte(`"` + value + `"`)); string(got) != `"***"` {
					t.Errorf("JSON: %s", got)
				}
				fmt.Fprintln(w, value)
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), strings.Repeat("***\n", 160); got != want {
		t.Errorf("got %q", got)
	}
}

func BenchmarkText(b *testing.B) {
	value := "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
	for _, bb := range []struct{ name, text string }{
		{"none", strings.Repeat("ABCDEF 123456 ", 64<<10)}, // no byte starts a form
		{"log", strings.Repeat("2024-05-01T12:00:00Z info fetching https://example.com/get?page=3\n", 16<<10)},
		{"run", strings.Repeat("g", 1<<20)},
		{"values", strings.Repeat("token "+value+"\n", 16<<10)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := set(b, value)
			b.SetBytes(int64(len(bb.text)))
			for b.Loop() {
				s.Text(bb.text)
			}
		})
	}
}

// BenchmarkAdd measures what a new value of the greatest size costs once.
func BenchmarkAdd(b *testing.B) {
	value := strings.Repeat("0123456789abcde/", 4<<10)
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		set(b, value).Text("")
	}
}

// reference masks text the slow and obvious way.
func reference(text string, values []string) string {
	masked := make([]bool, len(text))
	for _, form := range referenceForms(values) {
		for i := range len(text) {
			for j := 0; strings.HasPrefix(text[i:], form) && j < len(form); j++ {
				masked[i+j] = true
			}
		}
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !masked[i]:
			b.WriteByte(text[i])
		case i == 0 || !masked[i-1]:
			b.WriteString("***")
		}
	}
	return b.String()
}

func referenceForms(values []string) []string {
	var forms []string
	for _, value := range values {
		text := strings.TrimRight(value, "\r\n")
		if len(text) < redact.MinLength {
			continue
		}
		forms = append(forms, text, url.QueryEscape(text), url.PathEscape(text))
		for _, v := range []string{text, value, text + "\n"} {
			std := base64.StdEncoding.EncodeToString([]byte(v))
			forms = append(forms, std, strings.TrimRight(std, "="))
			std = strings.NewReplacer("+", "-", "/", "_").Replace(std)
			forms = append(forms, std, strings.TrimRight(std, "="))
		}
		quoted, _ := json.Marshal(text)
		inner := string(quoted[1 : len(quoted)-1])
		plain := strings.NewReplacer(`\\`, `\\`, `\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(inner)
		forms = append(forms, inner, plain)
		var decoded string
		if json.Unmarshal(quoted, &decoded) == nil {
			forms = append(forms, decoded)
		}
		for _, line := range strings.Split(text, "\n") {
			if line = strings.TrimRight(line, "\r"); len(line) >= redact.MinLength && strings.TrimSpace(line) != "" {
				forms = append(forms, line)
			}
		}
	}
	return forms
}

// wantHidden wants no form of the values in a masked text. One with a star may
// arise from a mask.
func wantHidden(t *testing.T, got string, values []string) {
	t.Helper()
	for _, form := range referenceForms(values) {
		if !strings.Contains(form, "*") && strings.Contains(got, form) {
			t.Errorf("%q shows %q", got, form)
		}
	}
}
