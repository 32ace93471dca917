package bench_test

import (
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// player creates a project whose dev makes calls, under a policy.
func (m *measurement) player(policy string, calls []map[string]any) clitest.Workspace {
	w := clitest.NewWorkspace(m.t, "")
	w.Play(m.t, calls)
	w.Drop(m.t)
	w.Write(m.t, "stagecraft.policy.yml", []byte("version: 1\nproviders: {player: {"+policy+"}}"))
	return w
}

// exec measures a command among many in one run, with its guard, and the same with
// os/exec.
func (m *measurement) exec() {
	const many = 100
	call := func(argv ...string) map[string]any { return map[string]any{"exec": map[string]any{"argv": argv}} }
	until := m.player("exec: ['sh **']", []map[string]any{call(clitest.UntilCompiled(m.cache)...)})
	m.run(until.Dir, m.cache, m.program, "dev", "--no-replay")
	one := m.player("exec: [['true']]", []map[string]any{call("true")})
	more := m.player("exec: [['true']]", slices.Repeat([]map[string]any{call("true")}, 1+many))
	dev := func(w clitest.Workspace) func() spent {
		return func() spent {
			took, _ := m.run(w.Dir, m.cache, m.program, "dev", "--no-replay")
			return took
		}
	}
	took := m.inTurns("exec", timed{"one", dev(one)}, timed{"more", dev(more)}, timed{"os/exec", func() spent {
		start := time.Now()
		for range many {
			if err := exec.Command("true").Run(); err != nil {
				m.t.Fatal(err)
			}
		}
		return spent{time: time.Since(start)}
	}})
	each, direct := (took["more"].time-took["one"].time)/many, took["os/exec"].time/many
	m.atMost("one `exec` of `true` through gate and guard, over os/exec of the same", ratio(each, direct), 3, "%.1f times",
		fmt.Sprintf("(%s over %s)", ms(each), ms(direct)))
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
		call := map[string]any{"exec": map[string]any{"argv": tt.argv}}
		dev := func(mode string) timed {
			w := m.player("confine: "+mode+", exec: ['true', 'sh **', 'find **', 'node **', 'go **'], use: [go, node], "+
				"files: {read: ['**'], write: ['dist/**']}, net: {}", slices.Repeat([]map[string]any{call}, tt.times))
			w.Write(m.t, "go.mod", []byte("module x\n"))
			w.Write(m.t, "main.go", []byte("package main\n\nimport _ \"net/http\"\n\nfunc main() {}\n"))
			w.Write(m.t, "dist/keep", nil)
			return timed{mode, func() spent {
				took, _ := m.run(w.Dir, m.cache, m.program, "dev")
				return took
			}}
		}
		took := m.inTurns(tt.what+", confined and not", dev("off"), dev("require"))
		free, restricted := took["off"].time, took["require"].time
		got := fmt.Sprintf("%.2f times", ratio(restricted, free))
		if tt.times > 1 {
			got = ms((restricted-free)/time.Duration(tt.times)) + " more each"
		}
		m.row(tt.what+", confined, against the same not confined", got, "-")
	}
}
