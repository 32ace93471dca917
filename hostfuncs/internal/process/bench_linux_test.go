package process

import (
	"os/exec"
	"testing"
)

// The two compare: Run over the same program started directly.

func BenchmarkRun(b *testing.B) {
	c := shell(b, "")
	c.Program, c.Argv = "/bin/true", []string{"true"}
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
