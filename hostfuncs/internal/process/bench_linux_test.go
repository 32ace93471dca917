package process

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// To compare: Run over the same program started directly.

func BenchmarkRun(b *testing.B) { benchmarkRun(b, nil) }

// BenchmarkRunKept is Run with a guard that is kept for the next command.
func BenchmarkRunKept(b *testing.B) {
	guards := NewGuards(buildGuard(b))
	defer guards.Close()
	b.ResetTimer()
	benchmarkRun(b, func(c *Command) { c.Guards = guards })
}

// BenchmarkRunConfined is the same, confined.
func BenchmarkRunConfined(b *testing.B) {
	guards := NewGuards(buildGuard(b))
	defer guards.Close()
	rules, err := attackRules(os.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	if missing := rules.Missing(confine.Probe()); len(missing) > 0 {
		b.Skip(missing)
	}
	b.ResetTimer()
	benchmarkRun(b, func(c *Command) { c.Guards, c.Confine = guards, rules })
}

func benchmarkRun(b *testing.B, change func(*Command)) {
	c := shell(b, "")
	c.Program, c.Argv = "/bin/true", []string{"true"}
	if change != nil {
		change(&c)
	}
	for b.Loop() {
		if _, err := Run(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDirect(b *testing.B) {
	for b.Loop() {
		if err := exec.Command("/bin/true").Run(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRunBeside is Run while another tree is there, so that a look at all
// processes is needed.
func BenchmarkRunBeside(b *testing.B) {
	other := shell(b, "echo ready; exec sleep 1000")
	ready := expect("ready")
	other.Stdout = ready
	done := launch(b.Context(), other)
	ready.until(b)
	BenchmarkRun(b)
	b.StopTimer()
	for _, pid := range marked(markOf(other)) {
		e, ok := look(pid)
		if ok {
			e.send(9)
		}
	}
	(<-done).must(b)
}

func BenchmarkProcesses(b *testing.B) {
	for b.Loop() {
		if len(processes()) == 0 {
			b.Fatal("none found")
		}
	}
}
