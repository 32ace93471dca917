package exec

import (
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// withFiles has dotenv files beside one another, and one that is none.
func withFiles(t *testing.T) *project {
	p := newProject(t, map[string]string{
		".env": "A=file-one\nB=file-one\nexport C='file-one'\n", "sub/.env": "B=file-two\nD=${HOST_ONLY}-more\n",
		"broken.env": "OK=fine\nTOKEN=\"s3cret-and-open\n", "rude.env": "TOK=s3cr\nto ken!=s3cret-line\n",
		"nul.env": "A=fine\nB=s3cr\x00et\n",
	})
	p.Environ = []string{"PATH=" + os.Getenv("PATH"), "A=host", "E=host-value", "HOST_ONLY=of-the-host", "EMPTY="}
	return p
}

const loads = "version: 1\nproviders: {test: {exec: ['sh **'], env: {pass: ['*'], read: ['*']}, files: {env: ['**']}}}"

// shown runs a shell that prints variables to a file, where nothing is masked, and returns
// its content.
func shown(t *testing.T, p *project, g *hostfuncs.Gate, q abi.ExecRequest, names ...string) string {
	t.Helper()
	var words []string
	for _, name := range names {
		words = append(words, "${"+name+"-unset}")
	}
	q.Argv = []string{"sh", "-c", "echo \"" + strings.Join(words, " ") + "\" >shown"}
	if reply := hosttest.Call(t, g, abi.OpExec, q); reply.Error != nil {
		t.Fatal(reply.Error.Message)
	}
	data, err := os.ReadFile(p.Root + "/shown")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// TestOrderOfVariables is the documented order: the host's environment, the
// request's base, its files in their order, its own values.
func TestOrderOfVariables(t *testing.T) {
	hosttest.NeedUnix(t)
	text := abi.Text
	for _, tt := range []struct {
		name string
		q    abi.ExecRequest
		want string // of A, B, C, D
	}{
		{"nothing", abi.ExecRequest{}, "host unset unset unset"},
		{"base over the host", abi.ExecRequest{EnvBase: map[string]abi.Value{"A": text("base")}}, "base unset unset unset"},
		{"file over base", abi.ExecRequest{EnvBase: map[string]abi.Value{"A": text("base"), "D": text("base")}, EnvFiles: []string{".env"}}, "file-one file-one file-one base"},
		{"later file over earlier", abi.ExecRequest{EnvFiles: []string{".env", "sub/.env"}}, "file-one file-two file-one of-the-host-more"},
		{"earlier file under later", abi.ExecRequest{EnvFiles: []string{"sub/.env", ".env"}}, "file-one file-one file-one of-the-host-more"},
		{"own over file", abi.ExecRequest{EnvFiles: []string{".env"}, Env: map[string]abi.Value{"B": text("own")}}, "file-one own file-one unset"},
		{"reference to the host", abi.ExecRequest{Env: map[string]abi.Value{"B": abi.EnvRef("E")}}, "host host-value unset unset"},
		{"reference to a file", abi.ExecRequest{Env: map[string]abi.Value{"D": abi.EnvRef("A", ".env", "sub/.env")}}, "host unset unset file-one"},
		{"reference past the files", abi.ExecRequest{Env: map[string]abi.Value{"D": abi.EnvRef("E", ".env")}}, "host unset unset host-value"},
		{"the last file that has it", abi.ExecRequest{Env: map[string]abi.Value{"D": abi.EnvRef("B", ".env", "sub/.env")}}, "host unset unset file-two"},
		{"reference in the base", abi.ExecRequest{EnvBase: map[string]abi.Value{"A": abi.EnvRef("E")}}, "host-value unset unset unset"},
	} {
		p := withFiles(t)
		if got := shown(t, p, p.gate(t, loads), tt.q, "A", "B", "C", "D"); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestValuesThatCantBeHad: errors name the problem, and nothing from a file.
func TestValuesThatCantBeHad(t *testing.T) {
	p := withFiles(t)
	g := p.gate(t, loads)
	for _, tt := range []struct {
		q    abi.ExecRequest
		code abi.Code
		want string
	}{
		{abi.ExecRequest{EnvFiles: []string{"none.env"}}, abi.CodeNotFound, `"none.env" does not exist`},
		{abi.ExecRequest{EnvFiles: []string{"/etc/hostname"}}, abi.CodeInvalid, `"/etc/hostname" leaves the project directory`},
		{abi.ExecRequest{EnvFiles: []string{"sub/../../x"}}, abi.CodeInvalid, "leaves the project directory"},
		{abi.ExecRequest{EnvFiles: []string{"sub"}}, abi.CodeInvalid, `"sub" is not a regular file`},
		{abi.ExecRequest{EnvFiles: []string{"broken.env"}}, abi.CodeInvalid, `"broken.env": line 3 `},
		{abi.ExecRequest{EnvFiles: []string{"rude.env"}}, abi.CodeInvalid, `"rude.env": line 2 `},
		{abi.ExecRequest{EnvFiles: []string{"nul.env"}}, abi.CodeInvalid, `"nul.env": line 2 has a NUL byte`},
		{abi.ExecRequest{Env: map[string]abi.Value{"X": abi.EnvRef("B", "nul.env")}}, abi.CodeInvalid, `"nul.env": line 2 has a NUL byte`},
		{abi.ExecRequest{Env: map[string]abi.Value{"X": abi.EnvRef("NONE", ".env")}}, abi.CodeNotFound, "variable NONE is not set"},
		{abi.ExecRequest{Env: map[string]abi.Value{"X": abi.EnvRef("A", "none.env")}}, abi.CodeNotFound, `"none.env" does not exist`},
		{abi.ExecRequest{Env: map[string]abi.Value{"X": abi.EnvRef("A", "../.env")}}, abi.CodeInvalid, "leaves the project directory"},
	} {
		tt.q.Argv = []string{"sh", "-c", "echo ran >&2"}
		reply := hosttest.Call(t, g, abi.OpExec, tt.q)
		hosttest.WantError(t, reply, tt.code, tt.want)
		if reply.Error != nil && strings.Contains(reply.Error.Message+reply.Error.Hint, "s3cr") {
			t.Errorf("it tells what is in the file: %+v", reply.Error)
		}
	}
	if said := p.Stderr.(*strings.Builder).String(); said != "" {
		t.Errorf("something ran: %s", said)
	}
}

// TestFilesAreDecidedOn has policies that lack one thing each. What is in a
// file stays unknown to whom it is denied, and is said to the user.
func TestFilesAreDecidedOn(t *testing.T) {
	for _, tt := range []struct {
		name, section string
		file          string
		allowed       bool
	}{
		{"all of it", "env: {pass: [A, B, C]}, files: {env: [.env]}", ".env", true},
		{"a file that may be read", "env: {pass: [A, B, C]}, files: {read: [.env]}", ".env", true},
		{"no file", "env: {pass: [A, B, C]}", ".env", false},
		{"another file", "env: {pass: [A, B, C]}, files: {env: [sub/.env]}", ".env", false},
		{"not each variable", "env: {pass: [A, B]}, files: {env: [.env]}", ".env", false},
		{"what a value is made of", "env: {pass: [B, D]}, files: {env: [sub/.env]}", "sub/.env", false},
		{"that too", "env: {pass: [B, D, HOST_ONLY]}, files: {env: [sub/.env]}", "sub/.env", true},
	} {
		p := withFiles(t)
		g := p.gate(t, "version: 1\nproviders: {test: {exec: ['sh **'], "+tt.section+"}}")
		reply := hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"sh", "-c", "exit 0"}, EnvFiles: []string{tt.file}})
		if tt.allowed {
			hosttest.As[abi.ExecResult](t, reply)
			continue
		}
		want := fmt.Sprintf("exec sh -c \"exit 0\" (%s) with the variables of %s: denied", p.Records[0].Claim.Exec.Program, tt.file)
		if reply.Error == nil || reply.Error.Message != want || reply.Error.Hint != "" {
			t.Errorf("%s: got %+v, want %s", tt.name, reply.Error, want)
		}
		if len(p.Records[0].Grants()) == 0 {
			t.Errorf("%s: the user cannot see what is missing", tt.name)
		}
	}
}

func TestClaimOfFiles(t *testing.T) {
	p := withFiles(t)
	hosttest.Call(t, p.gate(t, ""), abi.OpExec, abi.ExecRequest{
		Argv: []string{"sh"}, EnvFiles: []string{"sub/.env"}, Env: map[string]abi.Value{"X": abi.EnvRef("A", ".env", "sub/.env")},
	})
	claim := p.Records[0].Claim
	files := []capability.FileUse{{Path: "sub/.env", Use: capability.Load}, {Path: ".env", Use: capability.Load}}
	if diff := cmp.Diff(files, claim.Files); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	env := []capability.EnvUse{
		{Name: "HOST_ONLY", Use: capability.Pass, From: "sub/.env"}, {Name: "B", Use: capability.Pass, From: "sub/.env"}, {Name: "D", Use: capability.Pass, From: "sub/.env"},
		{Name: "X", Use: capability.Set}, {Name: "A", Use: capability.Pass},
	}
	if diff := cmp.Diff(env, claim.Env); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestManyEnvFiles names the same file and different ones as often as can be.
func TestManyEnvFiles(t *testing.T) {
	different := make([]string, 33)
	for i := range different {
		different[i] = fmt.Sprintf("none-%d", i)
	}
	values := make(map[string]abi.Value)
	for _, name := range different {
		values[name] = abi.EnvRef("A", name)
	}
	p := withFiles(t)
	g := p.gate(t, "version: 1\nproviders: {test: {exec: ['sh **'], env: {pass: ['*']}, files: {env: ['**']}}}")
	for name, q := range map[string]abi.ExecRequest{
		"a list":   {Argv: []string{"sh"}, EnvFiles: different},
		"the same": {Argv: []string{"sh"}, EnvFiles: slices.Repeat([]string{".env"}, 33)},
		"values":   {Argv: []string{"sh"}, Env: values},
	} {
		reply := hosttest.Call(t, g, abi.OpExec, q)
		if reply.Error == nil || reply.Error.Message != "more than 32 dotenv files are named" {
			t.Errorf("%s: got %+v", name, reply.Error)
		}
	}
	for name := range values {
		values[name] = abi.EnvRef("A", ".env", "sub/.env")
	}
	hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"sh", "-c", "exit 0"}, Env: values}))
}

func TestEnvStatusOfFiles(t *testing.T) {
	p := withFiles(t)
	p.Environ = append(p.Environ, "BREAKS=\r\n")
	got := hosttest.As[abi.EnvStatusResult](t, hosttest.Call(t, p.gate(t, loads), abi.OpEnvStatus, abi.EnvStatusRequest{
		Names: []string{"A", "D", "EMPTY", "BREAKS", "NONE"}, Files: []string{".env", "sub/.env"},
	}))
	want := map[string]abi.EnvState{"A": abi.EnvSet, "D": abi.EnvSet, "EMPTY": abi.EnvEmpty, "BREAKS": abi.EnvEmpty, "NONE": abi.EnvMissing}
	if diff := cmp.Diff(want, got.States); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	hosttest.WantError(t, hosttest.Call(t, p.gate(t, "version: 1\nproviders: {test: {env: {read: ['*']}}}"), abi.OpEnvStatus, abi.EnvStatusRequest{
		Names: []string{"A"}, Files: []string{".env"},
	}), abi.CodeDenied, "env_status with A and the variables of .env")
}

// TestDeniedFileTellsNothing wants the same answer whatever a file is that the
// provider may not use.
func TestDeniedFileTellsNothing(t *testing.T) {
	p := newProject(t, map[string]string{"some.env": "NAME=value\n", "empty.env": "", "broken.env": "no line\n"})
	g := p.gate(t, "version: 1\nproviders: {test: {exec: [sh], env: {pass: ['*']}}}")
	for _, file := range []string{"some.env", "empty.env", "broken.env", "none.env"} {
		reply := hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"sh"}, EnvFiles: []string{file}})
		if reply.Error == nil || reply.Error.Code != abi.CodeDenied || reply.Error.Hint != "" ||
			!strings.HasSuffix(reply.Error.Message, " with the variables of "+file+": denied") {
			t.Errorf("%s: got %+v", file, reply.Error)
		}
	}
}

// TestMasked: no value of a reference, in any of its forms, is printed, returned to the
// provider or part of an error.
func TestMasked(t *testing.T) {
	hosttest.NeedUnix(t)
	p := withFiles(t)
	p.Environ = append(p.Environ, "SECRET=s3cret value", "TINY=abc")
	g := p.gate(t, loads)
	print := "echo $X; echo \"$X\" | base64; printf s3cret; sleep 0.05; echo ' value'; echo $T; cat"
	stdin := abi.EnvRef("SECRET")
	q := abi.ExecRequest{
		Argv: []string{"sh", "-c", print}, Stdin: &stdin,
		Env: map[string]abi.Value{"X": abi.EnvRef("SECRET"), "T": abi.EnvRef("TINY")}, EnvFiles: []string{".env"},
	}
	hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, q))
	streamed := p.Stdout.(*strings.Builder).String()
	q.Capture = true
	captured := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, q)).Stdout
	for name, got := range map[string]string{"streamed": streamed, "captured": captured} {
		if want := "***\n***\n***\nabc\n***"; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if strings.Contains(streamed, base64.StdEncoding.EncodeToString([]byte("s3cret value"))) {
		t.Error("its base64 is shown")
	}
	if want := []string{"debug: masked from now on: A, B, C, SECRET", "warned: the value of TINY is too short to be masked: it can be seen in what is printed and recorded"}; !cmp.Equal(want, p.Logged) {
		t.Errorf("warned of %q", p.Logged)
	}
	// A cut that the provider chooses shows no beginning of a value.
	q.Argv, q.CaptureLimit = []string{"sh", "-c", "printf %s \"$X\"; printf %s \"$X\" >&2"}, 5
	if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, q)); got.Stdout != "***" || got.Stderr != "***" || got.Truncated {
		t.Errorf("cut: got %+v", got)
	}
	q.Argv = []string{"sh", "-c", "exit 0"}
	q.Dir = "s3cret value"
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, q), abi.CodeNotFound, `"***" does not exist`)
}
