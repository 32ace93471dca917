// Package bench_test measures the real binary, without assertions.
package bench_test

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

func TestMain(m *testing.M) { clitest.Main(m) }

var measure = flag.String("measure", "", "measure, and write the table to this file")

// TestMeasure measures the real binary and comparable programs in one run, and writes a
// table. "make bench" runs it, and docs/performance.md has the last table.
func TestMeasure(t *testing.T) {
	if *measure == "" {
		t.Skip("measures only when asked to: make bench")
	}
	m := &measurement{t: t, cache: t.TempDir()}
	m.wholeProcess()
	m.gate()
	m.confined()
	m.decide()
	m.pipe()
	if err := os.WriteFile(*measure, []byte(m.table()), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + m.table())
}

type measurement struct {
	t     *testing.T
	cache string
	rows  [][3]string
}

func (m *measurement) row(what, got, want string) {
	m.rows = append(m.rows, [3]string{what, got, want})
	m.t.Logf("%s: %s (wanted: %s)", what, got, want)
}

func (m *measurement) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%s, %d processors, %s\n\n| measured | got | wanted |\n|---|---|---|\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	for _, r := range m.rows {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r[0], r[1], r[2])
	}
	return b.String()
}

// project creates a project whose dev runs a command.
func (m *measurement) project(command string) string {
	dir := m.t.TempDir()
	text := "backend: {provider: generic, providers: {generic: {dev: {command: " + command + "}}}}\n"
	if err := os.WriteFile(filepath.Join(dir, "stagecraft.yml"), []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return dir
}

// run measures the time of a process, and its peak memory in bytes.
func (m *measurement) run(dir, cache, program string, args ...string) (time.Duration, int64) {
	cmd := exec.CommandContext(m.t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v\n%s", program, err, out)
	}
	took := time.Since(start)
	// Linux returns kilobytes, for the largest of the process and its children.
	return took, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

func (m *measurement) wholeProcess() {
	dir := m.project("['true']")
	var direct, warm, loaded, cold []time.Duration
	var peak int64
	m.run(m.project(clitest.UntilCompiled), m.cache, clitest.Binary(), "dev")
	for range 21 {
		d, _ := m.run(dir, m.cache, "true")
		w, _ := m.run(dir, m.cache, clitest.Binary(), "dev")
		if err := os.RemoveAll(filepath.Join(m.cache, "stagecraft", "replay")); err != nil {
			m.t.Fatal(err)
		}
		l, memory := m.run(dir, m.cache, clitest.Binary(), "dev")
		direct, warm, loaded, peak = append(direct, d), append(warm, w), append(loaded, l), max(peak, memory)
	}
	for range 5 {
		c, _ := m.run(dir, m.t.TempDir(), clitest.Binary(), "dev")
		cold = append(cold, c)
	}
	m.row("`dev` of `true`, warm cache, more than `true` itself", ms(median(warm)-median(direct)), "at most 60 ms")
	m.row("the same without a stored run of the module", ms(median(loaded)-median(direct)), "-")
	m.row("the same with a cold cache", ms(median(cold)-median(direct)), "at most 600 ms")
	m.row("peak memory of the CLI around `true`", fmt.Sprintf("%d MB", peak>>20), "at most 100 MB")
}

// gate measures the cost of a command among many, including its guard.
func (m *measurement) gate() {
	const many = 200
	once := map[string]any{"exec": map[string]any{"argv": []string{"true"}}}
	var walks [2]clitest.Workspace
	for i, n := range []int{1, 1 + many} {
		walks[i] = clitest.NewWorkspace(m.t, "")
		walks[i].Play(m.t, slices.Repeat([]map[string]any{once}, n))
		walks[i].Drop(m.t)
		walks[i].Write(m.t, "stagecraft.policy.yml", []byte("version: 1\nproviders: {player: {exec: [['true']]}}"))
	}
	var few, more, direct []time.Duration
	for range 7 {
		f, _ := m.run(walks[0].Dir, m.cache, clitest.Binary(), "dev")
		w, _ := m.run(walks[1].Dir, m.cache, clitest.Binary(), "dev")
		few, more = append(few, f), append(more, w)
		for range many {
			start := time.Now()
			if err := exec.Command("true").Run(); err != nil {
				m.t.Fatal(err)
			}
			direct = append(direct, time.Since(start))
		}
	}
	each := (median(more) - median(few)) / many
	m.row("`exec` of `true` through the gate and a guard, more than os/exec", ms(each-median(direct)), "at most 5 ms")
	m.row("the same, over os/exec", fmt.Sprintf("%.1f times", float64(each)/float64(median(direct))), "at most 3 times")
}

// confined compares commands under a policy with and without confinement.
func (m *measurement) confined() {
	const many = 100
	for _, tt := range []struct {
		what  string
		argv  []string
		times int
	}{
		{"`exec` of `true`", []string{"true"}, many},
		{"reading all files of /usr/share/doc", []string{"sh", "-c", "find /usr/share/doc -type f -print0 | xargs -0 cat >/dev/null"}, 1},
		{"`find /usr`", []string{"find", "/usr", "-name", "nothing"}, 1},
		{"`node -e 0`", []string{"node", "-e", "0"}, 1},
		{"`go build`, all cached", []string{"go", "build", "-o", "dist/x", "."}, 1},
	} {
		var took [2][]time.Duration
		var spaces [2]clitest.Workspace
		for i, mode := range []string{"off", "require"} {
			w := clitest.NewWorkspace(m.t, "")
			call := map[string]any{"exec": map[string]any{"argv": tt.argv}}
			w.Play(m.t, slices.Repeat([]map[string]any{call}, tt.times))
			w.Drop(m.t)
			w.Write(m.t, "stagecraft.policy.yml", []byte("version: 1\nproviders: {player: {confine: "+mode+
				", exec: ['true', 'sh **', 'find **', 'node **', 'go **'], use: [go, node], files: {read: ['**'], write: ['dist/**']}, net: {}}}"))
			w.Write(m.t, "go.mod", []byte("module x\n"))
			w.Write(m.t, "main.go", []byte("package main\n\nimport _ \"net/http\"\n\nfunc main() {}\n"))
			w.Write(m.t, "dist/keep", nil)
			m.run(w.Dir, m.cache, clitest.Binary(), "dev")
			spaces[i] = w
		}
		for range 11 {
			for i, w := range spaces {
				t, _ := m.run(w.Dir, m.cache, clitest.Binary(), "dev")
				took[i] = append(took[i], t)
			}
		}
		free, restricted := median(took[0]), median(took[1])
		got := fmt.Sprintf("%.2f times", float64(restricted)/float64(free))
		if tt.times > 1 {
			got = ms((restricted-free)/time.Duration(tt.times)) + " more each"
		}
		m.row(tt.what+", confined, against the same not confined", got, "-")
	}
}

func (m *measurement) decide() {
	for _, n := range []int{10, 1_000, 10_000} {
		var text strings.Builder
		text.WriteString("version: 1\nproviders:\n  x:\n    exec:\n")
		for i := range n {
			fmt.Fprintf(&text, "      - npm run task-%d --level=* **\n", i)
		}
		policy, err := capability.Parse("p", []byte(text.String()))
		if err != nil {
			m.t.Fatal(err)
		}
		policies := []*capability.Policy{policy}
		claim := capability.Claim{Operation: "exec", Provider: "x", Exec: &capability.Exec{
			Argv: []string{"npm", "run", fmt.Sprintf("task-%d", n/2), "--level=3", "x"}, Program: "/usr/bin/npm", Dir: ".",
		}}
		if d := capability.Decide(policies, claim); !d.Allowed {
			m.t.Fatal(d.Reason())
		}
		r := testing.Benchmark(func(b *testing.B) {
			for b.Loop() {
				capability.Decide(policies, claim)
			}
		})
		m.row(fmt.Sprintf("Decide with %d rules", n), fmt.Sprintf("%d ns", r.NsPerOp()), "under 1 µs")
	}
}

// pipe compares the output of a command through dev with the output of the command
// itself; the reader discards both.
func (m *measurement) pipe() {
	for _, gib := range []int{1, 8} {
		size := fmt.Sprintf("%dG", gib)
		dir := m.project("[head, -c, " + size + ", /dev/zero]")
		var through, direct []time.Duration
		for range 5 {
			direct = append(direct, m.drain(gib, dir, "head", "-c", size, "/dev/zero"))
			through = append(through, m.drain(gib, dir, clitest.Binary(), "dev"))
		}
		ratio := float64(median(direct)) / float64(median(through))
		m.row(fmt.Sprintf("%d GiB through `dev` in a pipe, speed over the command's own", gib), fmt.Sprintf("%.2f", ratio), "at least 0.8")
	}
}

func (m *measurement) drain(gib int, dir, program string, args ...string) time.Duration {
	cmd := exec.CommandContext(m.t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+m.cache)
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
	return time.Since(start)
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
