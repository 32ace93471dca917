package redact_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

func write(t testing.TB, w io.Writer, text string) {
	t.Helper()
	if n, err := io.WriteString(w, text); n != len(text) || err != nil {
		t.Fatalf("Write(%q) = %d, %v", text, n, err)
	}
}

// TestWriterHolds wants each byte as soon as it is decided, and not before.
func TestWriterHolds(t *testing.T) {
	type step struct{ in, out string }
	for _, tt := range []struct {
		name   string
		values []string
		steps  []step
		rest   string
	}{
		{"a value in parts", []string{"s3cret"}, []step{{"a s3", "a "}, {"cre", ""}, {"t", "***"}, {" b", " b"}}, ""},
		{"not a value", []string{"s3cret"}, []step{{"s3", ""}, {"x", "s3x"}}, ""},
		{"unfinished", []string{"s3cret"}, []step{{"s3cre", ""}}, "s3cre"},
		{"maybe a longer one", []string{"token", "token-long"}, []step{{"token", ""}, {"-lon", ""}, {"!", "***-lon!"}}, ""},
		{"a longer one", []string{"token", "token-long"}, []step{{"token-lon", ""}, {"g", "***"}}, ""},
		{"a shorter one at the end", []string{"token", "token-long"}, []step{{"token-", ""}}, "***-"},
		{"overlapping", []string{"abcdef", "defghi"}, []step{{"abcdef", "***"}, {"gh", ""}, {"i.", "."}}, ""},
		{"overlapping at first", []string{"abcdef", "defghi"}, []step{{"abcdef", "***"}, {"g!", "g!"}}, ""},
		{"touching", []string{"token"}, []step{{"token", "***"}, {"token", ""}, {".token", ".***"}}, ""},
		{"a start within", []string{"aaab"}, []step{{"aaa", ""}, {"a", "a"}, {"b", "***"}}, ""},
		{"nothing", []string{"token"}, []step{{"", ""}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			w := set(t, tt.values...).Writer(&b)
			for _, s := range tt.steps {
				b.Reset()
				write(t, w, s.in)
				if b.String() != s.out {
					t.Errorf("after %q: %q, want %q", s.in, b.String(), s.out)
				}
			}
			b.Reset()
			if err := w.Close(); err != nil || b.String() != tt.rest {
				t.Errorf("Close: %q, %v, want %q", b.String(), err, tt.rest)
			}
		})
	}
}

// TestWriterAddsLater wants values added between writes to count for the bytes
// kept back, and what was decided about those to stay.
func TestWriterAddsLater(t *testing.T) {
	for _, tt := range []struct{ name, value, first, later, second, want string }{
		{"not written", "token", "a ", "other", "other", "a ***"},
		{"written", "token", "other ", "other", "other", "other ***"},
		{"kept back", "token", "x tok", "kilo", "ilo", "x to***"},
		{"kept back and whole", "other-token", "other-tok", "other", ".", "***-tok."},
		{"both", "token", "tok", "kilo", "en kilo", "*** ***"},
		{"masked and kept back", "abcdefgh", "abcd", "cdef", "efgh cdef", "*** ***"},
		{"a repeated start", "abab", "ab", "other", ".", "ab."},
		{"next to what is masked", "abcdefgh-long", "abcdefgh", "abcd", ".", "***efgh."},
		{"apart from what is masked", "abcdef0123-long\n0123", "abcdef0123", "abcd", ".", "***ef***."},
		{"at the end", "other-token", "other-tok", "r-tok", "", "othe***"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := set(t, tt.value)
			var b strings.Builder
			w := s.Writer(&b)
			write(t, w, tt.first)
			s.Add(tt.later)
			if tt.second != "" {
				write(t, w, tt.second)
			}
			if err := w.Close(); err != nil || b.String() != tt.want {
				t.Errorf("got %q, %v, want %q", b.String(), err, tt.want)
			}
		})
	}
}

// TestWriterKeepsDecided has bytes kept back that are masked with others that are
// written, and adds values that those are searched for anew.
func TestWriterKeepsDecided(t *testing.T) {
	for _, tt := range []struct{ name, first, later, second, want string }{
		{"not found", "abcdefghij", "ghij-more", "-mor.", "***-mor."},
		{"found at the end", "abcdefghij", "ghij-more", "-more.", "***."},
		{"found within", "abcdefghij", "efgh", ".", "***."},
		{"found at the end of what is kept back", "abcdefghij", "ghij", ".", "***."},
		{"continued", "abcdefghij", "unrelated", "klmn.", "***."},
		{"another mask", "abcdefghij efg", "unrelated", "hijklmn", "*** ***"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := set(t, "abcdefghij", "efghijklmn")
			var b strings.Builder
			w := s.Writer(&b)
			write(t, w, tt.first)
			if !strings.HasPrefix(b.String(), "***") {
				t.Fatalf("written: %q", b.String())
			}
			s.Add(tt.later)
			write(t, w, tt.second)
			if err := w.Close(); err != nil || b.String() != tt.want {
				t.Errorf("got %q, %v, want %q", b.String(), err, tt.want)
			}
		})
	}
}

type failing struct {
	n     int
	err   error
	calls int
}

func (f *failing) Write(p []byte) (int, error) {
	f.calls++
	return min(f.n, len(p)), f.err
}

func TestWriterErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		to   failing
		want error
	}{{failing{0, broken, 0}, broken}, {failing{1, nil, 0}, io.ErrShortWrite}} {
		w := set(t, "token").Writer(&tt.to)
		write(t, w, "tok")
		for range 2 {
			if n, err := io.WriteString(w, "no"); n != 0 || err != tt.want {
				t.Errorf("Write: %d, %v, want %v", n, err, tt.want)
			}
		}
		if err := w.Close(); err != tt.want {
			t.Errorf("Close: %v, want %v", err, tt.want)
		}
		if tt.to.calls != 1 {
			t.Errorf("%d writes after an error", tt.to.calls-1)
		}
	}
	to := failing{0, broken, 0}
	w := set(t, "token").Writer(&to)
	write(t, w, "tok")
	for range 2 {
		if err := w.Close(); err != broken {
			t.Errorf("Close with bytes kept back: %v", err)
		}
	}
}

func TestWriterClosed(t *testing.T) {
	var b strings.Builder
	w := set(t, "token").Writer(&b)
	write(t, w, "tok")
	for range 2 {
		if err := w.Close(); err != nil || b.String() != "tok" {
			t.Errorf("Close: %q, %v", b.String(), err)
		}
	}
	if _, err := io.WriteString(w, "x"); err != os.ErrClosed {
		t.Errorf("Write: %v", err)
	}
}

// TestWriterRandom makes texts of forms, their parts and overlaps, which random
// bytes would never contain.
func TestWriterRandom(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 0))
		values := make([]string, 1+r.IntN(4))
		for i := range values {
			values[i] = randomText(r, 4+r.IntN(12))
		}
		var text strings.Builder
		for range r.IntN(12) {
			piece := randomForm(r, values[r.IntN(len(values))])
			text.WriteString(piece[r.IntN(len(piece)):])
			piece = randomForm(r, values[r.IntN(len(values))])
			text.WriteString(piece[:r.IntN(len(piece)+1)])
			text.WriteString(randomText(r, r.IntN(4)))
		}
		checkWriter(t, values, text.String(), seed)
		if t.Failed() {
			t.Fatalf("seed %d: values %q, text %q", seed, values, text.String())
		}
	}
}

func randomText(r *rand.Rand, n int) string {
	const few = "aab\n\"<\xff ?"
	b := make([]byte, n)
	for i := range b {
		b[i] = few[r.IntN(len(few))]
	}
	return string(b)
}

func randomForm(r *rand.Rand, value string) string {
	quoted, _ := json.Marshal(value)
	forms := []string{value, value, value, strings.TrimSpace(value) + ".", string(quoted),
		base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
		url.QueryEscape(value), url.PathEscape(value)}
	return forms[r.IntN(len(forms))]
}

// checkWriter wants the same from a Writer, however the text is split, as from
// Text and from the reference.
func checkWriter(t *testing.T, values []string, text string, seed uint64) {
	t.Helper()
	s := new(redact.Set)
	for _, v := range values {
		s.Add(v)
	}
	want := reference(text, values)
	if got := s.Text(text); got != want {
		t.Errorf("Text: %q, want %q", got, want)
	}
	wantHidden(t, want, values)

	var b strings.Builder
	w := s.Writer(&b)
	r := rand.New(rand.NewPCG(seed, 1))
	for rest := text; rest != ""; {
		n := 1 + r.IntN(min(len(rest), 1+r.IntN(16)))
		write(t, w, rest[:n])
		rest = rest[n:]
		if !strings.HasPrefix(want, b.String()) {
			t.Errorf("Writer has written %q, want a start of %q", b.String(), want)
		}
	}
	if err := w.Close(); err != nil || b.String() != want {
		t.Errorf("Writer: %q, %v, want %q", b.String(), err, want)
	}
}

func FuzzWriter(f *testing.F) {
	f.Add("s3cret", "token", "a s3cret and a token", uint64(1))
	f.Add("abcdef", "defghi", "xabcdefghix abcdefg", uint64(2))
	f.Add("token", "token-long", "token-lon token-long tokentoken", uint64(3))
	f.Add("first\r\nsecond\r\n", "aaaa", "first second aaaaaaa Zmlyc3QNCnNlY29uZA0K", uint64(4))
	f.Add("<\"\xff&> /", "    \n", `\u003c\"\ufffd\u0026\u003e / %3C%22%FF%26%3E+%2F`, uint64(5))
	f.Fuzz(func(t *testing.T, a, b, text string, seed uint64) {
		if len(a)+len(b)+len(text) > 1<<10 {
			t.Skip("the reference is slow")
		}
		checkWriter(t, []string{a, b}, text, seed)
	})
}

func BenchmarkWriter(b *testing.B) {
	line := []byte("2024-05-01T12:00:00Z info fetching https://example.com/get?page=3\n")
	w := set(b, "ghp_16C7e42F292c6912E7710c838347Ae178B4a").Writer(io.Discard)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		w.Write(line)
	}
}
