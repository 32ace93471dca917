package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// good is a machine without findings other than ok.
func good() Machine {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return Machine{
		Version: "stagecraft v1", Built: now.Add(-time.Hour), Now: now,
		Engine:   Engine{Address: "unix:///d.sock", From: "the default", Default: true, Name: "Docker 29", BuildKit: "v0.26", HasClock: true},
		Kernel:   Kernel{Landlock: 7, Seccomp: true},
		Places:   []Place{{Check: CheckCache, Path: "/c", Exists: true, Bytes: 3 << 20, Free: 2 << 30, HasFree: true}},
		Terminal: Terminal{true, true, true, 80, "xterm"},
	}
}

// goodProject is a project without findings other than ok.
func goodProject() Project {
	return Project{
		File: "/p/stagecraft.yml", Provider: &Provider{ID: "hello", Origin: "project"},
		Lock:         Lock{Exists: true, Entries: []Entry{{ID: "hello", Installed: true}}},
		Policy:       Policy{Exists: true, Confines: true, Providers: []Section{{ID: "hello", Installed: true, Locked: true}, {ID: "generic", Installed: true, BuiltIn: true}}},
		CeilingFiles: []string{"/etc/ceiling.yml"},
		Run:          Run{Command: "dev", Programs: []Program{{Name: "npm", Path: "/usr/bin/npm"}, {Name: "npm", Path: "/usr/bin/npm"}}},
	}
}

func lines(findings []Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, string(f.Status)+" "+f.Check+" "+f.Message)
	}
	return out
}

func TestGood(t *testing.T) {
	got := append(lines(good().Findings()), lines(goodProject().Findings())...)
	want := []string{
		"ok stagecraft stagecraft v1",
		"ok engine Docker 29 at unix:///d.sock (the default)",
		"ok buildkit v0.26, in the engine",
		"ok landlock version 7: commands can be confined to files, ports and sockets",
		"ok seccomp system calls of commands and providers can be restricted",
		"ok memory programs can be executed from memory",
		"ok cache /c, 3.0 MiB, 2.0 GiB free",
		"ok clock 2026-05-01 12:00:00 UTC, as the engine's",
		"ok terminal 80 columns, TERM=xterm",
		"ok configuration /p/stagecraft.yml",
		"ok provider hello, from project, trusted in stagecraft.lock",
		"ok lock stagecraft.lock, trusts hello",
		"ok policy stagecraft.policy.yml, confines the provider's commands",
		"ok ceiling /etc/ceiling.yml",
		"ok program npm (/usr/bin/npm)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// TestMachine changes one fact of a good machine at a time, and expects these findings
// besides those that are ok.
func TestMachine(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Machine)
		want   []string
	}{
		"no engine": {
			func(m *Machine) {
				m.Engine = Engine{Address: "unix:///d.sock", From: "the default", Default: true, Err: "gone"}
			},
			[]string{"warning engine none at unix:///d.sock (the default): gone"},
		},
		"no engine, and it is needed": {
			func(m *Machine) { m.Engine = Engine{From: "the default", Default: true, Needed: true, Err: "gone"} },
			[]string{"error engine none from the default: gone"},
		},
		"wrong DOCKER_HOST": {
			func(m *Machine) { m.Engine = Engine{Address: "tcp://h:1", From: "DOCKER_HOST", Err: "refused"} },
			[]string{"error engine none at tcp://h:1 (DOCKER_HOST): refused"},
		},
		"unknown error": {
			func(m *Machine) { m.Engine = Engine{Err: "broken"} },
			[]string{"error engine none: broken"},
		},
		"engine stops answering": {
			func(m *Machine) { m.Engine.Err = "no answer" },
			[]string{"error engine Docker 29 at unix:///d.sock (the default): no answer"},
		},
		"Podman": {
			func(m *Machine) { m.Engine.Name, m.Engine.BuildKit, m.Engine.From = "Podman 4", "", "" },
			[]string{"warning buildkit the engine has none: its classic build API takes longer, and has no secrets, caches or several platforms"},
		},
		"daemon": {
			func(m *Machine) { m.Daemon = &Engine{Address: "tcp://b:1", BuildKit: "v0.34"} }, nil,
		},
		"no daemon": {
			func(m *Machine) { m.Daemon = &Engine{Address: "tcp://b:1", Err: "refused"} },
			[]string{"error daemon no BuildKit at tcp://b:1: refused"},
		},
		"no Landlock": {
			func(m *Machine) { m.Kernel = Kernel{Reason: "the kernel has no Landlock", Seccomp: true} },
			[]string{"warning landlock the kernel has no Landlock: commands cannot be confined to files and ports, and compiled providers are not kept"},
		},
		"old Landlock": {
			func(m *Machine) { m.Kernel.Missing = []string{"a: this needs b", "c"} },
			[]string{"warning landlock version 7 cannot enforce on a confined command a: this needs b; c"},
		},
		"no seccomp": {
			func(m *Machine) { m.Kernel.Seccomp = false },
			[]string{"warning seccomp not available: system calls of commands and providers are not restricted"},
		},
		"no memory files": {
			func(m *Machine) { m.Kernel.Memory = "permission denied" },
			[]string{"warning memory programs cannot be executed from memory (permission denied): providers run from a copy in the cache"},
		},
		"before the build": {
			func(m *Machine) { m.Built = m.Now.Add(25 * time.Hour) },
			[]string{"error clock 2026-05-01 12:00:00 UTC is before 2026-05-02, when this stagecraft was built"},
		},
		"built tomorrow elsewhere": {func(m *Machine) { m.Built = m.Now.Add(23 * time.Hour) }, nil},
		"engine ahead": {
			func(m *Machine) { m.Engine.Ahead = 61 * time.Second },
			[]string{"warning clock 2026-05-01 12:00:00 UTC; the engine's clock is 1m1s ahead"},
		},
		"engine behind": {
			func(m *Machine) { m.Engine.Ahead = -time.Hour },
			[]string{"warning clock 2026-05-01 12:00:00 UTC; the engine's clock is 1h0m0s behind"},
		},
		"clocks nearly equal":    {func(m *Machine) { m.Engine.Ahead = -time.Minute }, nil},
		"an engine without time": {func(m *Machine) { m.Engine.HasClock, m.Engine.Ahead = false, time.Hour }, nil},
		"no TERM": {
			func(m *Machine) { m.Terminal.Name = "" }, []string{"warning terminal TERM is not set"},
		},
		"no terminal":       {func(m *Machine) { m.Terminal = Terminal{} }, nil},
		"output to a file":  {func(m *Machine) { m.Terminal.Stdout = false }, nil},
		"no home":           {place(Place{Check: CheckCache}), []string{"warning cache no directory is known: HOME is not set"}},
		"not created":       {place(Place{Check: CheckCache, Path: "/c"}), nil},
		"not answering":     {place(Place{Check: CheckTemp, Path: "/t", Slow: true}), []string{"error temp /t: its file system does not answer"}},
		"another's cache":   {place(Place{Check: CheckCache, Path: "/c", Private: "/c is owned by another user"}), []string{"warning cache /c is owned by another user"}},
		"read-only cache":   {place(Place{Check: CheckCache, Path: "/c", Writable: "denied"}), []string{"warning cache /c: denied"}},
		"read-only temp":    {place(Place{Check: CheckTemp, Path: "/t", Writable: "denied"}), []string{"error temp /t: denied"}},
		"read-only project": {place(Place{Check: CheckProject, Path: "/p", Writable: "denied"}), []string{"warning project /p: denied"}},
		"full":              {place(Place{Check: CheckTemp, Path: "/t", Exists: true, Free: 64<<20 - 1, HasFree: true}), []string{"error temp /t, 64.0 MiB free"}},
		"nearly full":       {place(Place{Check: CheckTemp, Path: "/t", Exists: true, Free: 64 << 20, HasFree: true}), []string{"warning temp /t, 64.0 MiB free"}},
		"empty":             {place(Place{Check: CheckTemp, Path: "/t", Exists: true, HasFree: true}), []string{"error temp /t, 0 B free"}},
	} {
		m := good()
		tt.change(&m)
		if got := notOK(m.Findings()); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func place(p Place) func(*Machine) { return func(m *Machine) { m.Places = []Place{p} } }

// notOK are the findings that are not ok.
func notOK(findings []Finding) []string {
	return lines(slices.DeleteFunc(findings, func(f Finding) bool { return f.Status == OK }))
}

func TestProject(t *testing.T) {
	bad := []Problem{{"f:1:2: wrong", "write it right"}}
	for name, tt := range map[string]struct {
		change func(*Project)
		want   []string
	}{
		"configuration": {func(p *Project) { p.Configuration, p.Provider = bad, nil }, []string{"error configuration f:1:2: wrong"}},
		"lock":          {func(p *Project) { p.Lock.Problems = bad }, []string{"error lock f:1:2: wrong"}},
		"no lock":       {func(p *Project) { p.Lock = Lock{} }, nil},
		"policy":        {func(p *Project) { p.Policy = Policy{Problems: bad} }, []string{"error policy f:1:2: wrong"}},
		"ceilings":      {func(p *Project) { p.Ceilings, p.CeilingFiles = bad, nil }, []string{"error ceiling f:1:2: wrong"}},
		"no policy": {
			func(p *Project) { p.Policy = Policy{} },
			[]string{"warning policy no stagecraft.policy.yml: commands of built-in providers may use all that you may use"},
		},
		"a policy that does not confine": {
			func(p *Project) { p.Policy.Confines = false },
			[]string{"warning policy it does not confine the provider's commands to files or ports"},
		},
		"warnings of policy check": {
			func(p *Project) { p.Policy.Warnings = 2 },
			[]string{"warning policy findings of policy check: errors 0, warnings 2"},
		},
		"errors of policy check": {
			func(p *Project) { p.Policy.Errors, p.Policy.Warnings = 1, 2 },
			[]string{"error policy findings of policy check: errors 1, warnings 2"},
		},
		"limits of root": {
			func(p *Project) { p.Policy.Unlimited = true },
			[]string{"warning policy its limits.processes does not apply to root"},
		},
		"rules for a provider that is not trusted": {
			func(p *Project) { p.Policy.Providers[0].Locked = false },
			[]string{"warning policy it has rules for provider hello, which stagecraft.lock does not trust"},
		},
		"rules for a provider that is not installed": {
			func(p *Project) { p.Policy.Providers = []Section{{ID: "helo"}} },
			[]string{"warning policy it has rules for provider helo, which is not installed"},
		},
		"a trusted module that is gone": {
			func(p *Project) { p.Lock.Entries[0].Installed = false },
			[]string{"warning lock provider hello is trusted and not installed"},
		},
		"a trusted module that changed": {
			func(p *Project) {
				p.Lock.Entries[0].Changed = true
				p.Provider.Trust = &Problem{"provider hello differs", "review it"}
			},
			[]string{"error provider provider hello differs", "warning lock provider hello changed since it was trusted"},
		},
		"files that are not providers": {func(p *Project) { p.Unusable = bad }, []string{"warning provider f:1:2: wrong"}},
		"a missing program": {
			func(p *Project) { p.Run.Programs, p.Run.Failure = []Program{{Name: "npm"}}, "npm: not found" },
			[]string{"error program npm: not found in the PATH that it would get"},
		},
		"denials": {
			func(p *Project) { p.Run.Denied, p.Run.Failure = []string{"exec npm"}, "denied" },
			[]string{"error run the policies would deny exec npm"},
		},
		"a provider that would fail": {
			func(p *Project) { p.Run.Failure = "no encore.app" },
			[]string{"error run the provider would fail: no encore.app"},
		},
		"a failing provider": {func(p *Project) { p.Run.Problems = bad }, []string{"error run f:1:2: wrong"}},
		"warnings of a run":  {func(p *Project) { p.Run.Warnings = bad }, []string{"warning run f:1:2: wrong"}},
		"a built-in provider": {func(p *Project) {
			p.Provider = &Provider{ID: "generic", Origin: "built-in", BuiltIn: true}
		}, nil},
	} {
		p := goodProject()
		tt.change(&p)
		if got := notOK(p.Findings()); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestCount(t *testing.T) {
	findings := []Finding{{Status: OK}, {Status: Error}, {Status: OK}}
	if Count(findings, Error) != 1 || Count(findings, OK) != 2 || Count(findings, Warning) != 0 || findings[1].Status != Error {
		t.Errorf("got %v", findings)
	}
}
