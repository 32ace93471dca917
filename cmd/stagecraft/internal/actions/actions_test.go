package actions

import (
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// readAll returns the result of each model for all output.
func readAll(t *testing.T, printed string, check func(t *testing.T, r *runner)) {
	t.Helper()
	for name, r := range runners() {
		t.Run(name, func(t *testing.T) {
			r.read(printed)
			check(t, r)
		})
	}
}

func TestStop(t *testing.T) {
	for _, text := range attacks {
		w, out := newWorkflow(t)
		resume := w.Stop()
		_, _ = io.WriteString(w, text)
		w.Error(Annotation{Message: "delayed"})
		resume()
		_, _ = io.WriteString(w, "::debug::ours\n")
		readAll(t, "$ "+out.String(), func(t *testing.T, r *runner) {
			if len(r.commands) != 3 || r.commands[0].name != "stop-commands" || r.commands[1].data != "delayed" || r.commands[2].data != "ours" {
				t.Errorf("%q: sees %q", text, r.commands)
			}
		})
	}
}

func TestStopsWithinStops(t *testing.T) {
	w, out := newWorkflow(t)
	outer := w.Stop()
	inner := w.Stop()
	inner()
	inner()
	_, _ = io.WriteString(w, "::debug::no\n")
	outer()
	outer()
	_, _ = io.WriteString(w, "::debug::yes\n")
	// Commands that one stop delayed are not repeated after the next.
	again := w.Stop()
	w.Error(Annotation{Message: "delayed"})
	again()
	w.Stop()()
	readAll(t, out.String(), func(t *testing.T, r *runner) {
		names := ""
		for _, c := range r.commands {
			names += c.name + " "
		}
		if names != "stop-commands debug stop-commands error stop-commands " || r.commands[1].data != "yes" || r.token != "" {
			t.Errorf("sees %q in %q", r.commands, out)
		}
	})
}

// A child may write to standard error itself, so that a line is incomplete when the stop
// ends.
func TestStopIsSeenOnlyAtALinesStart(t *testing.T) {
	w, out := newWorkflow(t)
	resume := w.Stop()
	if !strings.HasPrefix(out.String(), "\n::stop-commands::") {
		t.Errorf("%q may be at the end of a line", out)
	}
	_, _ = io.WriteString(w, "::debug::")
	resume()
	readAll(t, out.String(), func(t *testing.T, r *runner) {
		if len(r.commands) != 1 || r.token != "" {
			t.Errorf("sees %q, stopped by %q", r.commands, r.token)
		}
	})
}

func TestTokens(t *testing.T) {
	seen := make(map[string]bool)
	for range 100 {
		w, out := newWorkflow(t)
		w.Stop()()
		m := regexp.MustCompile(`^\n::stop-commands::([A-Z2-7]{26,})\n::([A-Z2-7]+)::\n$`).FindStringSubmatch(out.String())
		if m == nil || m[1] != m[2] || seen[m[1]] {
			t.Fatalf("%q", out)
		}
		seen[m[1]] = true
	}
}

// Output, annotations and stops of many goroutines are not interleaved.
func TestConcurrentStops(t *testing.T) {
	const each = 50
	w, out := newWorkflow(t)
	outer := w.Stop()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range each {
				resume := w.Stop()
				_, _ = io.WriteString(w, "::set-env name=x::y\nrest")
				w.Error(Annotation{Message: "delayed"})
				resume()
			}
		})
	}
	group.Wait()
	outer()
	readAll(t, out.String(), func(t *testing.T, r *runner) {
		if len(r.commands) != 1+8*each {
			t.Errorf("sees %d commands", len(r.commands))
		}
		for _, c := range r.commands[1:] {
			if c.name != "error" || c.data != "delayed" {
				t.Fatalf("sees %q", c)
			}
		}
	})
}

func FuzzStop(f *testing.F) {
	for _, text := range attacks {
		f.Add([]byte(text), []byte("::stop-commands::"))
	}
	f.Fuzz(func(t *testing.T, before, during []byte) {
		w, out := newWorkflow(t)
		_, _ = io.WriteString(w, Defang(string(before)))
		resume := w.Stop()
		_, _ = w.Write(during)
		resume()
		for name, r := range runners() {
			r.read(out.String())
			if len(r.commands) != 1 || r.commands[0].name != "stop-commands" || r.token != "" {
				t.Fatalf("%s: sees %q, stopped by %q", name, r.commands, r.token)
			}
		}
	})
}
