// Package bench_test measures the released binary, without assertions.
package bench_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m) }

var measure = flag.String("measure", "", "measure, and write the table to this file")

// TestMeasure measures the released binary and comparable programs in one run, and
// writes a table. "make bench" builds the binary and runs it, and docs/performance.md has
// the last table.
func TestMeasure(t *testing.T) {
	if *measure == "" {
		t.Skip("measures only when asked to: make bench")
	}
	m := newMeasurement(t, filepath.Join(clitest.Root(), "bin", "stagecraft"))
	helm := m.newHelm()
	// The runs that are measured end too soon for a module to be compiled.
	m.run(m.project(clitest.UntilCompiled(m.cache)...), m.cache, m.program, "dev", "--no-replay")
	m.processes(helm)
	m.exec()
	m.memory()
	m.size()
	m.hostCall()
	m.confined()
	m.decide()
	m.pipe()
	m.report(*measure, helm.version)
}

// rounds is how often everything is measured, after once without.
const rounds = 15

// measurement runs programs and collects the rows of a table.
type measurement struct {
	t       *testing.T
	program string // stagecraft
	cache   string
	load    string // of the machine at the beginning
	rows    []row
}

// row is a line of the table. result is empty where nothing is wanted.
type row struct{ what, got, want, result string }

func newMeasurement(t *testing.T, program string) *measurement {
	return &measurement{t: t, program: installed(t, program), cache: t.TempDir(), load: load(t)}
}

// installed returns a copy of a program. The kernel keeps in single pages what the linker
// has just written, and starts a program from them more slowly than an installed one.
func installed(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(program))
	clitest.WriteFile(t, path, clitest.ReadFile(t, program), 0o755)
	return path
}

func (m *measurement) row(what, got, want string) { m.add(row{what, got, want, ""}) }

// atMost adds a row with a limit, which format prints, as it does the result.
func (m *measurement) atMost(what string, got, most float64, format, details string) {
	result := "met"
	if got > most {
		result = "missed"
	}
	m.add(row{what, strings.TrimSpace(fmt.Sprintf(format, got) + " " + details), fmt.Sprintf("at most "+format, most), result})
}

func (m *measurement) add(r row) {
	m.rows = append(m.rows, r)
	m.t.Logf("%s: %s (wanted: %s) %s", r.what, r.got, r.want, r.result)
}

// report writes two tables to a file, rows with limits first, and names the programs
// that were measured beside ours.
func (m *measurement) report(file string, beside ...string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. Load of the machine: %s at the beginning, %s at the end.\n\n",
		strings.Join(append(conditions(m.t), beside...), ", "), m.load, load(m.t))
	var limits, others strings.Builder
	for _, r := range m.rows {
		if r.result != "" {
			fmt.Fprintf(&limits, "| %s | %s | %s | %s |\n", r.what, r.got, r.want, r.result)
		} else {
			fmt.Fprintf(&others, "| %s | %s | %s |\n", r.what, r.got, r.want)
		}
	}
	if limits.Len() > 0 {
		fmt.Fprintf(&b, "| measured | result | wanted | |\n|---|---|---|---|\n%s\n", &limits)
	}
	fmt.Fprintf(&b, "| also measured | result | wanted |\n|---|---|---|\n%s", &others)
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// conditions says when and on which machine something is measured.
func conditions(t *testing.T) []string {
	var uname unix.Utsname
	if err := unix.Uname(&uname); err != nil {
		t.Fatal(err)
	}
	processor := runtime.GOARCH
	for line := range strings.Lines(clitest.ReadFile(t, "/proc/cpuinfo")) {
		if name, model, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			processor = strings.TrimSpace(model)
		}
	}
	return []string{
		time.Now().UTC().Format(time.DateOnly), fmt.Sprintf("%d processors", runtime.NumCPU()), processor,
		"Linux " + unix.ByteSliceToString(uname.Release[:]), runtime.Version(),
	}
}

// load is the average number of processes that run, of the last minute.
func load(t *testing.T) string {
	average, _, _ := strings.Cut(clitest.ReadFile(t, "/proc/loadavg"), " ")
	return average
}

// spent is what something took: time, and processor time of a process and of all that it
// waited for. Other work on the machine changes the latter little.
type spent struct{ time, cpu time.Duration }

// timed is something that is measured; once does it once.
type timed struct {
	name string
	once func() spent
}

// inTurns measures each in turn, in another order each round, and returns the medians of
// each by its name.
func (m *measurement) inTurns(what string, all ...timed) map[string]spent {
	m.t.Logf("%s, %d rounds", what, rounds)
	took, cpu := make(map[string][]time.Duration), make(map[string][]time.Duration)
	for round := range 1 + rounds {
		for at := range all {
			of := all[(at+round)%len(all)]
			if once := of.once(); round > 0 {
				took[of.name], cpu[of.name] = append(took[of.name], once.time), append(cpu[of.name], once.cpu)
			}
		}
		if round%5 == 0 {
			m.t.Logf("%s, round %d", what, round)
		}
	}
	medians := make(map[string]spent)
	for name := range took {
		medians[name] = spent{median(took[name]), median(cpu[name])}
	}
	return medians
}

// run measures a process, and its peak memory in bytes.
func (m *measurement) run(dir, cache, program string, args ...string) (spent, int64) {
	cmd := m.command(dir, cache, program, args...)
	took := m.spend(cmd)
	// Linux returns kilobytes, for the largest of the process and its children.
	return took, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

func (m *measurement) spend(cmd *exec.Cmd) spent {
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return spent{time.Since(start), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
}

func (m *measurement) command(dir, cache, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(m.t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
	return cmd
}

// project creates a project whose dev runs a command.
func (m *measurement) project(command ...string) string {
	dir := m.t.TempDir()
	list, err := json.Marshal(command)
	if err != nil {
		m.t.Fatal(err)
	}
	clitest.WriteFile(m.t, filepath.Join(dir, "stagecraft.yml"),
		"backend: {provider: generic, providers: {generic: {dev: {command: "+string(list)+"}}}}\n", 0o600)
	return dir
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
