package confine

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// profile is what programs of a tool may do in a place.
func (p place) profile(t *testing.T, name string) Rules {
	t.Helper()
	temp := filepath.Join(p.root, "tmp")
	must(t, os.MkdirAll(temp, 0o755))
	must(t, os.Chown(temp, int(p.id), int(p.id)))
	r, err := Profile(name, Surroundings{Home: p.in, Temp: temp, Env: func(name string) string {
		if int(p.id) == os.Getuid() && (name == "GOCACHE" || name == "GOMODCACHE") {
			return goEnv(t, name)
		}
		return ""
	}})
	must(t, err)
	return r.With(Rules{Write: []string{p.in}, Exec: []string{p.in}})
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	must(t, err)
	return strings.TrimSpace(string(out))
}

// needs finds a program that other users can reach too.
func needs(t *testing.T, name string, places ...string) string {
	t.Helper()
	for _, dir := range append(places, "/usr/bin", "/usr/local/bin", "/bin") {
		file := filepath.Join(dir, name)
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	t.Skipf("there is no %s", name)
	return ""
}

const nodeServer = `const server = require("http").createServer((q, s) => s.end("from node\n"));
server.listen(+process.argv[2], "127.0.0.1", () => console.log("listening"));
process.memoryUsage(); require("os").cpus(); require("os").networkInterfaces();`

// serves starts a server and asks it once it has written its first line.
func (p place) serves(t *testing.T, r Rules, port uint16, path string, argv ...string) string {
	t.Helper()
	cmd := p.command(t, r, guards{}, argv...)
	out, err := cmd.StdoutPipe()
	must(t, err)
	cmd.Stderr = t.Output()
	must(t, cmd.Start())
	defer func() { _ = cmd.Cancel(); _ = cmd.Wait() }()
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil {
		t.Errorf("got %q and no line: %v", line, err)
		return ""
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", port, path), nil)
	must(t, err)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return string(body)
}

func TestServers(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		// Tools look for these above the project too.
		p.write(t, filepath.Join(p.root, "package.json"), `{"workspaces": ["in"]}`, 0o644)
		must(t, os.Mkdir(filepath.Join(p.root, ".git"), 0o755))
		p.write(t, filepath.Join(p.in, "server.js"), nodeServer, 0o644)
		p.write(t, filepath.Join(p.in, "page"), "from python\n", 0o644)
		p.write(t, filepath.Join(p.in, "package.json"), `{"name": "x", "scripts": {"dev": "node server.js"}}`, 0o644)
		for _, tt := range []struct {
			tool, program, path, want string
			argv                      []string
		}{
			{"node", "node", "/", "from node\n", []string{"server.js"}},
			{"node", "npm", "/", "from node\n", []string{"--silent", "--no-update-notifier", "run", "dev", "--"}},
			{"python", "python3", "/page", "from python\n", []string{"-u", "-m", "http.server", "-b", "127.0.0.1"}},
		} {
			t.Run(tt.program, func(t *testing.T) {
				port := freePort(t)
				r := p.profile(t, tt.tool).With(Rules{Listen: []uint16{port}})
				argv := slices.Concat([]string{needs(t, tt.program)}, tt.argv, []string{fmt.Sprint(port)})
				if got := p.serves(t, r, port, tt.path, argv...); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	})
}

const goTest = `package x

import (
	"io"
	"net"
	"net/http"
	"testing"
)

func TestServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:PORT")
	if err != nil {
		t.Fatal(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "from go")
	}))
	res, err := http.Get("http://127.0.0.1:PORT")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != "from go" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
}
`

func TestGo(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		if int(u.id) != os.Getuid() {
			t.Skip("compiling the standard library for another user would take long")
		}
		p := newPlace(t, u)
		port := freePort(t)
		p.write(t, filepath.Join(p.in, "go.mod"), "module x\n\ngo 1.24\n", 0o644)
		p.write(t, filepath.Join(p.in, "x_test.go"), strings.ReplaceAll(goTest, "PORT", fmt.Sprint(port)), 0o644)
		p.write(t, filepath.Join(p.in, "cmd.go"), "package x\n", 0o644)
		must(t, os.Mkdir(filepath.Join(p.in, "cmd"), 0o755))
		p.write(t, filepath.Join(p.in, "cmd", "main.go"), "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"built\") }\n", 0o644)
		must(t, os.MkdirAll(goEnv(t, "GOCACHE"), 0o755))
		goTool := needs(t, "go", filepath.Join(goEnv(t, "GOROOT"), "bin"))
		r := p.profile(t, "go").With(Rules{
			Exec:   []string{goEnv(t, "GOROOT")},
			Listen: []uint16{port}, Connect: []uint16{port},
		})
		script := fmt.Sprintf(`export CGO_ENABLED=0 GOCACHE=%s TMPDIR=%s
git=$(command -v git) && $git init -q . && $git add . && %[3]s build -o built ./cmd && ./built && %[3]s test -count=1 .`,
			goEnv(t, "GOCACHE"), filepath.Join(p.root, "tmp"), goTool)
		got := p.run(t, r, guards{}, "/bin/sh", "-c", script)
		if !strings.HasPrefix(got, "built\nok") {
			t.Error(got)
		}
	})
}

func TestTools(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		p.write(t, filepath.Join(p.in, ".gitconfig"), "[user]\n\tname = n\n\temail = n@example.org\n", 0o644)
		p.write(t, filepath.Join(p.in, "pipes.py"), "import subprocess, multiprocessing, tempfile, ssl\n"+
			"def double(x): return 2 * x\n"+
			"if __name__ == '__main__':\n"+
			"    print(multiprocessing.get_context('fork').Pool(2).map(double, [1, 2]), subprocess.check_output(['echo', 'sub']).decode().strip())\n", 0o644)
		p.write(t, filepath.Join(p.in, "child.js"), "const {fork, execFileSync} = require('child_process');\n"+
			"if (process.send) { process.send('hello'); process.disconnect(); } else {\n"+
			"  fork(__filename).on('message', m => console.log(m, execFileSync('echo', ['sub']).toString().trim(), require('fs').readdirSync(require('os').tmpdir()).length >= 0)); }\n", 0o644)
		for _, tt := range []struct{ tool, program, script, want string }{
			{"base", "sh", "echo one two | tr ' ' '\\n' | sort -r | head -1", "two"},
			{"base", "bash", "bash -c 'cat <(echo sub) <<< here; printf %s \"$(mktemp)\" >/dev/null'", "sub"},
			{"git", "git", "git init -q repo && cd repo && echo a > a && git add a && git commit -qm one && git status --short && git log --format=%s", "one"},
			{"node", "node", "node child.js", "hello sub true"},
			{"python", "python3", "$PROGRAM pipes.py", "[2, 4] sub"},
		} {
			t.Run(tt.program, func(t *testing.T) {
				program := needs(t, tt.program)
				r := p.profile(t, tt.tool)
				argv := []string{"/bin/sh", "-c", "PATH=/usr/local/bin:/usr/bin:/bin TMPDIR=" + p.root + "/tmp PROGRAM=" + program + "; export TMPDIR; " + tt.script}
				if got := p.run(t, r, guards{}, argv...); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	})
}
