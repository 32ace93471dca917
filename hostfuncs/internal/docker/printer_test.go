package docker

import (
	"fmt"
	"strings"
	"testing"
)

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
