package exec

import (
	"io"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
	"github.com/stagecraft-dev/stagecraft/internal/screen"
)

// server prints 1,000 lines a second for two seconds.
const server = `$| = 1; for (1 .. 2000) { print "line $_\n"; select(undef, undef, undef, .001) }`

// BenchmarkBesideAFlood measures how long five servers take: alone, beside a program that
// prints 1 GiB of lines, and beside one that prints them to nowhere. The last two differ by
// what the output of one program takes from others, apart from the processor time of that
// program.
func BenchmarkBesideAFlood(b *testing.B) {
	const flood = "yes 0123456789012345678901234567890123456789 | head -c 1073741824"
	for name, flood := range map[string]string{"alone": "", "flood": flood, "nowhere": flood + " >/dev/null"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p := newProject(b, nil)
				p.Screen = screen.New(screen.Options{Stdout: io.Discard, Stderr: io.Discard})
				g := p.gate(b, "version: 1\nproviders: {test: {exec: ['sh **', 'perl **']}}")
				start := func(argv ...string) int {
					q := abi.ProcessStartRequest{Argv: argv, Name: "program"}
					return hosttest.As[abi.ProcessStartResult](b, hosttest.Call(b, g, abi.OpProcessStart, q)).ID
				}
				if flood != "" {
					start("sh", "-c", flood)
				}
				begun := time.Now()
				var servers []int
				for range 5 {
					servers = append(servers, start("perl", "-e", server))
				}
				for range servers {
					reply := hosttest.Call(b, g, abi.OpProcessWait, abi.ProcessWaitRequest{IDs: servers})
					ended := hosttest.As[abi.ProcessWaitResult](b, reply).Exited.ID
					for i, id := range servers {
						if id == ended {
							servers = append(servers[:i:i], servers[i+1:]...)
							break
						}
					}
				}
				b.ReportMetric(time.Since(begun).Seconds(), "s/run")
				p.made.Close()
			}
		})
	}
}
