package screen

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

// floods are what a program could print without an end, to take memory or time.
var floods = map[string]string{
	"lines":       "0123456789 0123456789 0123456789 0123456789\n",
	"empty lines": "\n",
	"no end":      "0123456789",
	"rewritten":   "0123456789\r",
	"carriages":   "\r",
	"sequence":    "\x1b[1111",
	"long":        "1",
	"string":      "\x1b]0;0123456789",
	"styles":      "\x1b[31mx\x1b[32m",
	"no text":     "\x1b[31m\x1b[32m",
	"marks":       "\u0301",
	"marks on x":  "\u0301",
	"marks after": "\rx\u0301\u0302\u0303",
	"inserted":    "x\x1b[100@\x1b[99D",
	"far":         "\x1b[9999Cx",
	"wide":        "\x1b[2K日本",
	"not UTF-8":   "\xf0\x9f\xff",
}

// TestFloods: what one stream keeps does not grow with what is printed.
func TestFloods(t *testing.T) {
	const size, chunk = 4 << 20, 32 << 10
	for name, flood := range floods {
		t.Run(name, func(t *testing.T) {
			s := New(Options{Stdout: io.Discard, Stderr: io.Discard})
			s.out.terminal, s.after = true, func(time.Duration, func()) {}
			s.Program("other", false, nil)
			st := s.Program("flood", true, nil).streams[0]
			if strings.HasPrefix(name, "marks on") {
				write(t, st, "\rx")
			}
			data := []byte(strings.Repeat(flood, chunk/len(flood)+1))
			for range size / chunk {
				if _, err := st.Write(data); err != nil {
					t.Fatal(err)
				}
			}
			if kept := st.kept(); kept > 3<<20 {
				t.Errorf("%d bytes are kept of %d", kept, size)
			}
		})
	}
}

// kept is about how many bytes a stream keeps.
func (st *Stream) kept() (n int) {
	a := &st.lines
	n = cap(a.plain) + 24*cap(a.changes) + cap(a.buffer[0]) + cap(a.buffer[1]) + cap(a.parser.seq) + cap(a.parser.rune)
	if a.row != nil {
		n += 48 * cap(a.row.cells)
		for _, c := range a.row.cells {
			n += len(c.marks)
		}
	}
	return n + cap(st.toScreen) + cap(st.partial) + cap(st.prefix) + cap(st.through.out)
}

// BenchmarkFloods measures what takes the lines of a program among several.
func BenchmarkFloods(b *testing.B) {
	for _, name := range []string{"lines", "styles", "rewritten", "empty lines"} {
		b.Run(name, func(b *testing.B) {
			s := New(Options{Stdout: io.Discard, Stderr: io.Discard})
			s.Program("other", false, nil)
			p := s.Program("flood", true, nil)
			data := bytes.Repeat([]byte(floods[name]), 32<<10/len(floods[name]))
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				_, _ = p.Stdout().Write(data)
			}
		})
	}
}
