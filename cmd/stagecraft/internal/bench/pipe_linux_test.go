package bench_test

import (
	"fmt"
	"io"
	"time"
)

// pipe compares the output of a command through dev with the output of the command
// itself; the reader discards both.
func (m *measurement) pipe() {
	const gib = 2
	size := fmt.Sprintf("%dG", gib)
	dir := m.project("head", "-c", size, "/dev/zero")
	took := m.inTurns("a pipe",
		timed{"direct", func() spent { return m.drain(gib, dir, "head", "-c", size, "/dev/zero") }},
		timed{"through", func() spent { return m.drain(gib, dir, m.program, "dev") }})
	m.row(fmt.Sprintf("%d GiB through `dev` in a pipe, speed over the command's own", gib),
		fmt.Sprintf("%.2f", ratio(took["direct"].time, took["through"].time)), "at least 0.8")
}

func (m *measurement) drain(gib int, dir, program string, args ...string) spent {
	cmd := m.command(dir, m.cache, program, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, out, make([]byte, 1<<20))
	if err != nil || n != int64(gib)<<30 {
		m.t.Fatalf("%d bytes, %v", n, err)
	}
	if err := cmd.Wait(); err != nil {
		m.t.Fatal(err)
	}
	return spent{time: time.Since(start)}
}
