package docker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
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
		if digest, err := readPush(strings.NewReader(text), "x", newPrinter(nil)); err == nil && !image.IsID(digest) {
			t.Errorf("pushed as %q", digest)
		}
	})
}

func TestPrinterText(t *testing.T) {
	for _, tt := range []struct {
		name   string
		pieces []string
		want   string
	}{
		{"lines", []string{"a\nb\n"}, "a\nb\n"},
		{"pieces of a line", []string{"a", "b", "\nc\n"}, "ab\nc\n"},
		{"empty lines", []string{"\n", "\na\n"}, "\n\na\n"},
		{"no newline at the end", []string{"a\nb"}, "a\nb\n"},
		{"a sequence in pieces", []string{"\x1b[3", "1mred\x1b", "[0m\n"}, "red\n"},
		{"a letter in pieces", []string{"\xc3", "\xa4\n"}, "ä\n"},
		{"a sequence alone at the end", []string{"a\n\x1b[0m"}, "a\n"},
		{"a line written over", []string{"10%\r20%\r", "\n"}, "10%\n20%\n"},
		{"a newline in pieces", []string{"a\r", "\nb\n"}, "a\nb\n"},
		{"a long line", []string{strings.Repeat("x", lineLimit+5)}, strings.Repeat("x", lineLimit) + "\nxxxxx\n"},
		{"a long line in pieces", []string{strings.Repeat("x", lineLimit), "y\n"}, strings.Repeat("x", lineLimit) + "\ny\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			p := newPrinter(&out)
			for _, piece := range tt.pieces {
				p.message(message{Stream: piece})
			}
			p.flush()
			if got := out.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPrinterStatus(t *testing.T) {
	var out strings.Builder
	p := newPrinter(&out)
	p.message(message{Stream: "Step 1/1 : FROM a"})
	p.message(message{Status: "Pulling from library/a", ID: "latest"})
	for range 1000 {
		p.message(message{Status: "Downloading", ID: "1"})
		p.message(message{Status: "Waiting", ID: "2\x1b[31m\n"})
	}
	p.message(message{Status: "Extracting", ID: "1"})
	p.message(message{Status: "Digest: x"})
	p.message(message{Status: "Digest: x"})
	want := "Step 1/1 : FROM a\nlatest: Pulling from library/a\n1: Downloading\n2: Waiting\n1: Extracting\nDigest: x\nDigest: x\n"
	if got := out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPrinterForgetsLayers(t *testing.T) {
	p := newPrinter(nil)
	for i := range 10 * layerLimit {
		p.status(fmt.Sprint(i), "Waiting")
	}
	if n := len(p.layers); n > layerLimit {
		t.Errorf("%d layers are remembered", n)
	}
}

func TestPrinterTail(t *testing.T) {
	p := newPrinter(nil)
	p.text("Step 1/2 : RUN a\nfirst\nStep 2/2 : RUN b\n")
	if p.step != "Step 2/2 : RUN b" || p.log() != "" {
		t.Errorf("step %q, log %q", p.step, p.log())
	}
	for i := range 100 {
		p.text(fmt.Sprintln("line", i))
	}
	p.text("the end")
	lines := strings.Split(p.log(), "\n")
	if len(lines) != tailLines || lines[0] != "line 81" || lines[tailLines-1] != "the end" {
		t.Errorf("log %q", lines)
	}
}
