package bench_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// The programs that are measured. Helm's plug-ins are Wasm modules: one is about as large
// as ours, and one as most in Go.
const (
	direct    = "`true`"
	hello     = "a Go program that prints hello"
	goVersion = "`go version`"
	version   = "`stagecraft version`"
	replayed  = "`dev` of `true`, replayed"
	loaded    = "`dev` of `true` with `--no-replay`, warm"
	warm      = "`dev --audit` of `true`, warm"
	cold      = "`dev --audit` of `true`, cold"
	smallWarm = "Helm's plug-in, warm"
	smallCold = "Helm's plug-in, cold"
	largeWarm = "Helm's larger plug-in, warm"
	largeCold = "Helm's larger plug-in, cold"
)

// processes compares whole processes with those of Go and of Helm.
func (m *measurement) processes(helm *helm) {
	all := m.programs(helm)
	took := m.inTurns("whole processes", all...)
	compare := func(what, a, b string, most float64) {
		m.atMost(what, ratio(took[a].time, took[b].time), most, "%.2f", fmt.Sprintf("(%s over %s; by processor time %.2f)",
			ms(took[a].time), ms(took[b].time), ratio(took[a].cpu, took[b].cpu)))
	}
	compare("`stagecraft version` over `go version`", version, goVersion, 2)
	compare("`dev` of `true`, replayed, over `go version`", replayed, goVersion, 3.5)
	compare("`dev --audit` of `true`, module loaded, warm, over Helm's warm plug-in", warm, smallWarm, 0.6)
	compare("the same cold, over Helm's cold plug-in", cold, smallCold, 0.35)
	m.row("the same two, over Helm's larger plug-in",
		fmt.Sprintf("%.2f and %.2f", ratio(took[warm].time, took[largeWarm].time), ratio(took[cold].time, took[largeCold].time)), "-")
	m.row("a replay instead of the module saves, of a warm `dev` of `true`", ms(took[loaded].time-took[replayed].time), "-")
	own := filepath.Join(clitest.Root(), "bin", "providers", "generic.wasm")
	m.row("sizes of our module, of Helm's plug-in and of its larger one",
		fmt.Sprintf("%s, %s, %s", mb(m.sizeOf(own)), mb(m.sizeOf(helm.small.module())), mb(m.sizeOf(helm.large.module()))), "-")
	for _, of := range all {
		m.row(of.name, ms(took[of.name].time)+", processor time "+ms(took[of.name].cpu), "-")
	}
}

// programs are the programs that are compared. Those with a cold cache have an empty one.
func (m *measurement) programs(helm *helm) []timed {
	line, err := clitest.Builder().Program("cmd/stagecraft/internal/bench/testdata/hello")
	if err != nil {
		m.t.Fatal(err)
	}
	dir := m.project("true")
	alone := func(program string, args ...string) func(cache string) spent {
		return func(cache string) spent {
			took, _ := m.run(dir, cache, program, args...)
			return took
		}
	}
	audited := func(cache string) spent {
		log := filepath.Join(dir, "audit.jsonl")
		defer os.Remove(log)
		return alone(m.program, "dev", "--audit", log)(cache)
	}
	in := func(name string, once func(cache string) spent) timed {
		return timed{name, func() spent { return once(m.cache) }}
	}
	inEmpty := func(name string, once func(cache string) spent) timed {
		return timed{name, func() spent {
			cache := m.t.TempDir()
			defer os.RemoveAll(cache)
			return once(cache)
		}}
	}
	return []timed{
		in(direct, alone("true")),
		in(hello, alone(installed(m.t, line))),
		in(goVersion, alone("go", "version")),
		in(version, alone(m.program, "version")),
		in(replayed, alone(m.program, "dev")),
		in(loaded, alone(m.program, "dev", "--no-replay")),
		in(warm, audited),
		inEmpty(cold, audited),
		in(smallWarm, helm.small.run),
		inEmpty(smallCold, helm.small.run),
		in(largeWarm, helm.large.run),
		inEmpty(largeCold, helm.large.run),
	}
}

// size measures the released binary.
func (m *measurement) size() {
	m.atMost("size of the released binary, helpers inside", float64(m.sizeOf(m.program))/1e6, 45, "%.1f MB", "")
}

func (m *measurement) sizeOf(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		m.t.Fatal(err)
	}
	return info.Size()
}

func mb(bytes int64) string { return fmt.Sprintf("%.2f MB", float64(bytes)/1e6) }
