package bench_test

import (
	"debug/buildinfo"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// helm is Helm, which runs plug-ins in Wasm with the libraries that we use.
type helm struct {
	version      string
	small, large plugin
}

// plugin is a plug-in of Helm.
type plugin struct {
	m             *measurement
	program, name string
	dir           string // has no other plug-in, since Helm reads all
}

func (m *measurement) newHelm() *helm {
	m.t.Log("building Helm, which takes minutes the first time")
	program, err := providertest.Tool("helm")
	if err != nil {
		m.t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		m.t.Fatal(err)
	}
	program = installed(m.t, program)
	return &helm{"Helm " + info.Main.Version, m.newPlugin(program, "small"), m.newPlugin(program, "large")}
}

func (m *measurement) newPlugin(program, name string) plugin {
	p := plugin{m, program, name, m.t.TempDir()}
	built, err := clitest.Builder().Module("cmd/stagecraft/internal/bench/testdata/" + name)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(p.dir, name), 0o755); err != nil {
		m.t.Fatal(err)
	}
	clitest.WriteFile(m.t, p.module(), clitest.ReadFile(m.t, built), 0o644)
	// https://helm.sh/docs/plugins/
	clitest.WriteFile(m.t, filepath.Join(p.dir, name, "plugin.yaml"),
		"apiVersion: v1\ntype: cli/v1\nname: "+name+"\nversion: 1.0.0\nruntime: extism/v1\n", 0o644)
	return p
}

func (p plugin) module() string { return filepath.Join(p.dir, p.name, "plugin.wasm") }

// run measures a run. Helm keeps compiled code in the user's cache, as we do.
func (p plugin) run(cache string) spent {
	cmd := p.m.command(p.dir, cache, p.program, p.name)
	cmd.Env = append(cmd.Env, "HELM_PLUGINS="+p.dir)
	return p.m.spend(cmd)
}
