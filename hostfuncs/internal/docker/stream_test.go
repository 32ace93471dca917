package docker

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestReadMessages(t *testing.T) {
	reset := errors.New("connection reset")
	for _, tt := range []struct {
		name string
		in   io.Reader
		want int
		err  string
	}{
		{"none", strings.NewReader(""), 0, ""},
		{"lines", strings.NewReader("{\"stream\":\"a\"}\r\n\r\n{\"status\":\"b\",\"unknown\":[1]}\n"), 2, ""},
		{"no newline at the end", strings.NewReader(`{"stream":"a"}`), 1, ""},
		{"piecemeal", iotest.OneByteReader(strings.NewReader("{\"stream\":\"a\"}\n{}\n")), 2, ""},
		{"cut short", strings.NewReader("{}\n{\"stream\":\"a"), 1, "unexpected end of JSON"},
		{"no JSON", strings.NewReader("<html>"), 0, "cannot read its answer"},
		{"wrong type", strings.NewReader(`{"stream": 1}`), 0, "cannot read its answer"},
		{"an array", strings.NewReader(`[]`), 0, "cannot read its answer"},
		{"deep", strings.NewReader(strings.Repeat("[", 100_000)), 0, "cannot read its answer"},
		{"a long line", strings.NewReader(`{"stream":"` + strings.Repeat("x", messageLimit)), 0, "longer than 1 MiB"},
		{"connection lost", io.MultiReader(strings.NewReader("{}\n"), iotest.ErrReader(reset)), 1, reset.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := 0
			err := readMessages(tt.in, func(message) error { got++; return nil })
			if got != tt.want {
				t.Errorf("%d messages, want %d", got, tt.want)
			}
			if tt.err == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if _, ok := errors.AsType[*streamError](err); !ok || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %s", err, tt.err)
			}
		})
	}
}

func TestReadMessagesStops(t *testing.T) {
	stop := errors.New("stop")
	calls := 0
	err := readMessages(strings.NewReader("{}\n{}\n"), func(message) error { calls++; return stop })
	if err != stop || calls != 1 {
		t.Errorf("got %v after %d calls", err, calls)
	}
}

func TestMessageFailure(t *testing.T) {
	for in, want := range map[string]string{
		`{"error":"a","errorDetail":{"message":"b"}}`: "b",
		`{"error":"a"}`:        "a",
		`{"errorDetail":{}}`:   "the engine gives no reason",
		`{"stream":"a"}`:       "",
		`{"errorDetail":null}`: "",
	} {
		err := readMessages(strings.NewReader(in), func(m message) error {
			if m.failed() != (want != "") {
				t.Errorf("%s: failed is %v", in, m.failed())
			}
			if m.failed() && m.failure() != want {
				t.Errorf("%s: %q, want %q", in, m.failure(), want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// FuzzStream feeds an engine's answer to all that reads it. The seeds are
// answers of a real engine, and broken ones.
func FuzzStream(f *testing.F) {
	seeds, err := filepath.Glob("testdata/streams/*.json")
	if err != nil || len(seeds) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range seeds {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
		f.Add(string(text[:len(text)/2]))
	}
	f.Add(`{"stream":"a\rb\u001b[31mc\u202ed` + `\n\n"}` + "\n{\"id\":\"\\n\\u0007\",\"status\":\"\\u001b]0;x\"}")
	f.Fuzz(func(t *testing.T, text string) {
		var out strings.Builder
		p := newPrinter(&out)
		var id string
		_ = readMessages(strings.NewReader(text), func(m message) error {
			p.message(m)
			rememberID(&id, m.Aux)
			return nil
		})
		log := p.log()
		for _, s := range []string{out.String(), log, p.step} {
			if !utf8.ValidString(s) || strings.ContainsAny(s, "\x1b\r\x07\x00\u202e\u009b") {
				t.Errorf("not plain: %q", s)
			}
		}
		if n := strings.Count(log, "\n"); n >= tailLines {
			t.Errorf("the log has %d line ends", n)
		}
		if s := out.String(); s != "" && !strings.HasSuffix(s, "\n") {
			t.Errorf("no newline at the end of %q", s)
		}
		if digest, err := readPush(strings.NewReader(text), "x", newPrinter(nil)); err == nil && !imageID().MatchString(digest) {
			t.Errorf("pushed as %q", digest)
		}
	})
}
