// Package docs_test runs what the documents, the examples and the GitHub action
// show.
package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

func TestMain(m *testing.M) { clitest.Main(m) }

// An HTML comment before a fenced block says how the block is tested. Every block
// of sh, yaml, json and text needs one:
//
//	<!-- run -->               bash runs it in a new directory
//	<!-- run: then -->         in the directory where the previous run ended
//	<!-- run: exit 3 -->       and its exit code is 3
//	<!-- run: engine -->       if there is a Docker engine
//	<!-- output -->            both streams of the previous run; a line ... matches
//	                           any lines, ... at the end of a line the rest of it,
//	                           (5ms) any time
//	<!-- stagecraft.yml -->    "stagecraft validate" accepts it
//	<!-- policy -->            it is a policy
//	<!-- json: ExecRequest --> it is this type of the ABI, without unknown fields
//	<!-- shown: WHY -->        it cannot be run here
var docMarker = regexp.MustCompile(`^<!-- (run|output|stagecraft\.yml|policy|json|shown)(?:: (.+?))? -->$`)

var docFence = regexp.MustCompile("^(\\s*)```([a-z]*)$")

// docRoot is the project directory of the documents' user.
const docRoot = "/home/you/shop"

// docBlock is one fenced block of a document.
type docBlock struct {
	name string // file:line of the fence
	lang string
	kind string // of its marker; empty without one
	args string
	text string
}

// docBlocks returns a document's fenced blocks in order.
func docBlocks(file, text string) []docBlock {
	var found []docBlock
	var open *docBlock
	before, indent := "", ""
	for i, line := range strings.Split(text, "\n") {
		m := docFence.FindStringSubmatch(line)
		switch {
		case m == nil && open == nil:
			before = strings.TrimSpace(line)
		case m == nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		case open == nil:
			indent, open = m[1], &docBlock{name: fmt.Sprintf("%s:%d", file, i+1), lang: m[2]}
			if m := docMarker.FindStringSubmatch(before); m != nil {
				open.kind, open.args = m[1], m[2]
			}
		default:
			found, open, before = append(found, *open), nil, ""
		}
	}
	return found
}

// documents returns the repository's Markdown files by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	return filesIn(t, ".", ".md")
}

// filesIn returns the files below a directory of the repository that end in ext,
// by path.
func filesIn(t *testing.T, dir, ext string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(filepath.Join(clitest.Root(), dir), func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "bin", "node_modules"}, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(file) != ext:
			return nil
		}
		data, err := os.ReadFile(file)
		rel, _ := filepath.Rel(clitest.Root(), file)
		found[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// document reads one of the repository's files.
func document(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(clitest.Root(), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestDocumentsShowWhatHappens tests every block of the README and docs/.
func TestDocumentsShowWhatHappens(t *testing.T) {
	cache := t.TempDir()
	modules, err := providertest.ModuleProxy(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range documents(t) {
		if file != "README.md" && !strings.HasPrefix(file, "docs/") {
			continue
		}
		t.Run(path.Base(file), func(t *testing.T) {
			t.Parallel()
			shell := &docShell{base: t.TempDir(), cache: cache, modules: modules}
			for _, b := range docBlocks(file, text) {
				_, line, _ := strings.Cut(b.name, ":")
				t.Run(line, func(t *testing.T) { checkBlock(t, shell, b) })
			}
		})
	}
}

func checkBlock(t *testing.T, shell *docShell, b docBlock) {
	switch b.kind {
	case "run":
		shell.run(t, b)
	case "output":
		shell.compare(t, b)
	case "stagecraft.yml":
		shell.validate(t, b)
	case "policy":
		if _, err := capability.Parse(b.name, []byte(b.text)); err != nil {
			t.Error(err)
		}
	case "json":
		checkJSON(t, b)
	case "shown":
		if b.args == "" {
			t.Errorf("%s: the comment needs a reason why the block is only shown", b.name)
		}
	default:
		if slices.Contains([]string{"", "sh", "yaml", "json", "text"}, b.lang) {
			t.Errorf("%s: no comment before the block says how to check it", b.name)
		}
	}
}

// docShell runs the blocks of one document in order.
type docShell struct {
	base    string
	cache   string
	modules []string // variables with which the go command finds the SDK
	dir     string   // the last new directory
	at      string   // where the last run ended
	count   int
	ran     bool   // the last run was not skipped
	said    string // what it printed
}

// fresh creates the next directory to work in.
func (s *docShell) fresh(t *testing.T) {
	t.Helper()
	s.count++
	s.dir = filepath.Join(s.base, strconv.Itoa(s.count), path.Base(docRoot))
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s.at = s.dir
}

func (s *docShell) run(t *testing.T, b docBlock) {
	want, then := 0, false
	for arg := range strings.SplitSeq(b.args, ", ") {
		code, exits := strings.CutPrefix(arg, "exit ")
		switch {
		case arg == "then":
			then = true
		case arg == "engine":
			host, fatal, err := providertest.FirstEngine(t.Name())
			if s.ran = host != ""; fatal {
				t.Fatal(err)
			} else if err != nil {
				t.Skip(err)
			}
		case exits:
			var err error
			if want, err = strconv.Atoi(code); err != nil {
				t.Fatalf("%s: %q is not an exit code", b.name, code)
			}
		case arg != "":
			t.Fatalf("%s: run: unknown word %q", b.name, arg)
		}
	}
	if !then {
		s.fresh(t)
	}
	ended := filepath.Join(s.base, "ended")
	cmd := s.command("bash", "-c", `trap 'pwd >"$ENDED"' EXIT`+"\n"+b.text)
	cmd.Env = append(cmd.Env, "ENDED="+ended)
	out, err := cmd.CombinedOutput()
	if at := strings.TrimSuffix(clitest.ReadFile(t, ended), "\n"); at != "" {
		s.at = at
	}
	s.said, s.ran = strings.NewReplacer(s.dir, docRoot, filepath.Dir(s.dir), path.Dir(docRoot)).Replace(string(out)), true
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		t.Fatalf("%s: %v", b.name, err)
	}
	if got != want {
		t.Errorf("%s: exit code %d, want %d:\n%s", b.name, got, want, out)
	}
}

// command returns a command with an empty home and the real binary first in PATH.
func (s *docShell) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.at
	cmd.Env = append(os.Environ(),
		"PATH="+filepath.Dir(clitest.Binary())+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+filepath.Dir(s.dir), "XDG_DATA_HOME=", "XDG_STATE_HOME=", "XDG_CACHE_HOME="+s.cache, "CI=",
		"STAGECRAFT="+clitest.Root(),
	)
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOFLAGS", "GOPROXY", "GOSUMDB"} {
		cmd.Env = append(cmd.Env, name+"="+providertest.GoEnv(name))
	}
	cmd.Env = append(cmd.Env, s.modules...)
	if host := providertest.EngineHost(); host != "" {
		cmd.Env = append(cmd.Env, "DOCKER_HOST="+host)
	} else {
		cmd.Env = append(cmd.Env, "DOCKER_HOST=unix://"+filepath.Join(s.base, "no-engine.sock"))
	}
	return cmd
}

var (
	docTime = regexp.MustCompile(`\([0-9.]+m?s\)`)
	docAny  = regexp.MustCompile(`(?m)^\\\.\\\.\\\.\n`)
	docRest = regexp.MustCompile(`(?m)\\\.\\\.\\\.$`)
)

func (s *docShell) compare(t *testing.T, b docBlock) {
	if s.dir == "" {
		t.Fatalf("%s: no run before this output", b.name)
	}
	if !s.ran {
		t.Skip("the run before it was skipped")
	}
	said, want := docTime.ReplaceAllString(s.said, "(TIME)"), docTime.ReplaceAllString(b.text, "(TIME)")
	pattern := docAny.ReplaceAllString(regexp.QuoteMeta(want), `(?:.*\n)*`)
	pattern = docRest.ReplaceAllString(pattern, ".+")
	if !regexp.MustCompile(`^` + pattern + `$`).MatchString(said) {
		t.Errorf("%s: -shown +printed:\n%s", b.name, cmp.Diff(strings.Split(want, "\n"), strings.Split(said, "\n")))
	}
}

func (s *docShell) validate(t *testing.T, b docBlock) {
	s.fresh(t)
	if err := os.WriteFile(filepath.Join(s.dir, "stagecraft.yml"), []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.command(clitest.Binary(), "validate").CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", b.name, err, out)
	}
}

// docTypes are the message types of the ABI.
var docTypes = map[string]reflect.Type{
	"BuildDockerOptions":  reflect.TypeFor[abi.BuildDockerOptions](),
	"BuildDockerResult":   reflect.TypeFor[abi.BuildDockerResult](),
	"Description":         reflect.TypeFor[abi.Description](),
	"DetectOptions":       reflect.TypeFor[abi.DetectOptions](),
	"DetectResult":        reflect.TypeFor[abi.DetectResult](),
	"DevOptions":          reflect.TypeFor[abi.DevOptions](),
	"DockerBuildRequest":  reflect.TypeFor[abi.DockerBuildRequest](),
	"DockerImageRequest":  reflect.TypeFor[abi.DockerImageRequest](),
	"DockerImageResult":   reflect.TypeFor[abi.DockerImageResult](),
	"ProbeRequest":        reflect.TypeFor[abi.ProbeRequest](),
	"ProbeResult":         reflect.TypeFor[abi.ProbeResult](),
	"ProcessExit":         reflect.TypeFor[abi.ProcessExit](),
	"ProcessStartRequest": reflect.TypeFor[abi.ProcessStartRequest](),
	"ProcessStartResult":  reflect.TypeFor[abi.ProcessStartResult](),
	"ReadyRequest":        reflect.TypeFor[abi.ReadyRequest](),
	"ProcessStopRequest":  reflect.TypeFor[abi.ProcessStopRequest](),
	"ProcessWaitRequest":  reflect.TypeFor[abi.ProcessWaitRequest](),
	"ProcessWaitResult":   reflect.TypeFor[abi.ProcessWaitResult](),
	"DockerBuildResult":   reflect.TypeFor[abi.DockerBuildResult](),
	"Empty":               reflect.TypeFor[abi.Empty](),
	"EnvStatusRequest":    reflect.TypeFor[abi.EnvStatusRequest](),
	"EnvStatusResult":     reflect.TypeFor[abi.EnvStatusResult](),
	"ExecRequest":         reflect.TypeFor[abi.ExecRequest](),
	"ExecResult":          reflect.TypeFor[abi.ExecResult](),
	"FileInfo":            reflect.TypeFor[abi.FileInfo](),
	"ListResult":          reflect.TypeFor[abi.ListResult](),
	"LogRequest":          reflect.TypeFor[abi.LogRequest](),
	"PathRequest":         reflect.TypeFor[abi.PathRequest](),
	"StatRequest":         reflect.TypeFor[abi.StatRequest](),
	"ReadFileResult":      reflect.TypeFor[abi.ReadFileResult](),
	"Reply":               reflect.TypeFor[abi.Reply](),
	"ValidateOptions":     reflect.TypeFor[abi.ValidateOptions](),
	"WatchRequest":        reflect.TypeFor[abi.WatchRequest](),
	"WatchResult":         reflect.TypeFor[abi.WatchResult](),
}

func checkJSON(t *testing.T, b docBlock) {
	if b.args == "any" {
		if !json.Valid([]byte(b.text)) {
			t.Errorf("%s: not JSON", b.name)
		}
		return
	}
	kind, ok := docTypes[b.args]
	if !ok {
		t.Fatalf("%s: unknown type %q", b.name, b.args)
	}
	d := json.NewDecoder(bytes.NewReader([]byte(b.text)))
	d.DisallowUnknownFields()
	if err := d.Decode(reflect.New(kind).Interface()); err != nil {
		t.Errorf("%s: %s: %v", b.name, b.args, err)
	}
}

// TestDocumentsOfTheABI requires each type, operation, export, code and size of
// the ABI in docs/abi.md.
func TestDocumentsOfTheABI(t *testing.T) {
	text := document(t, "docs/abi.md")
	shown := make(map[string]bool)
	for _, b := range docBlocks("docs/abi.md", text) {
		shown[b.args] = shown[b.args] || b.kind == "json"
	}
	for name := range docTypes {
		if !shown[name] {
			t.Errorf("docs/abi.md: missing example of %s", name)
		}
	}
	var words []string
	for _, operation := range abi.Operations() {
		words = append(words, "## "+operation+"\n", "`"+abi.ImportName(operation)+"`")
	}
	for _, export := range append(abi.Exports(), abi.OptionalExports()...) {
		words = append(words, "## "+export+"\n")
	}
	for name, value := range constants(t, "guest-sdk/abi/abi.go") {
		if code, err := strconv.Unquote(value); err == nil && strings.HasPrefix(name, "Code") {
			words = append(words, "| `"+code+"` |")
		}
	}
	for _, size := range []int{abi.MaxRequest, abi.MaxReply, abi.MaxCapture, abi.MaxFile} {
		words = append(words, fmt.Sprintf("| %d MiB |", size>>20))
	}
	words = append(words, "| 10,000 entries |", fmt.Sprintf("version %d", abi.Version))
	wantWords(t, "docs/abi.md", text, words)
}

// TestDocumentOfExitCodes requires exactly the constants in the table.
func TestDocumentOfExitCodes(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\| (\d+) \|`)
	var got, want []string
	for _, m := range row.FindAllStringSubmatch(document(t, "docs/cli.md"), -1) {
		got = append(got, m[1])
	}
	for name, value := range constants(t, "cmd/stagecraft/internal/cli/exit.go") {
		if strings.HasPrefix(name, "Exit") {
			want = append(want, value)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("exit codes, -exit.go +docs/cli.md:\n%s", diff)
	}
}

// TestDocumentOfCommands requires each command and flag in docs/cli.md.
func TestDocumentOfCommands(t *testing.T) {
	text := document(t, "docs/cli.md")
	flag := regexp.MustCompile(`--[a-z]+`)
	_, list, _ := strings.Cut(help(t), "\nCommands:\n")
	names := regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)?)  `).FindAllStringSubmatch(list, -1)
	if len(names) < 6 {
		t.Fatalf("stagecraft --help lists only %v", names)
	}
	for _, m := range names {
		words := []string{"## `stagecraft " + m[1] + "`\n"}
		words = append(words, flag.FindAllString(help(t, strings.Fields(m[1])...), -1)...)
		wantWords(t, "docs/cli.md", text, words)
	}
}

func help(t *testing.T, command ...string) string {
	t.Helper()
	out, err := exec.Command(clitest.Binary(), append(command, "--help")...).Output()
	if err != nil {
		t.Fatalf("stagecraft %v --help: %v", command, err)
	}
	return string(out)
}

// TestDocumentOfPolicy requires each key that the parser reads in
// docs/policy-reference.md.
func TestDocumentOfPolicy(t *testing.T) {
	keys := policyKeys(t)
	if len(keys) < 35 {
		t.Fatalf("the parser reads only %v", keys)
	}
	text := document(t, "docs/policy-reference.md")
	for _, key := range keys {
		if !regexp.MustCompile("`(?:[a-z]+\\.)*" + key + "`").MatchString(text) {
			t.Errorf("docs/policy-reference.md: missing `%s`", key)
		}
	}
}

// policyKeys returns the keys of the families of rights, and of the parser's maps of
// functions.
func policyKeys(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(clitest.Root(), "hostfuncs", "capability", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	add := func(e ast.Expr) {
		if text, ok := e.(*ast.BasicLit); ok && text.Kind == token.STRING {
			keys = append(keys, strings.Split(strings.Trim(text.Value, `"`), ".")...)
		}
	}
	for _, file := range files {
		// docs/policy-tools.md has the keys of an accepted finding.
		if strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "accept.go" {
			continue
		}
		ast.Inspect(source(t, "hostfuncs/capability/"+filepath.Base(file)), func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if m, ok := n.Type.(*ast.MapType); ok && isFunc(m.Value) {
					for _, e := range n.Elts {
						add(e.(*ast.KeyValueExpr).Key)
					}
				}
			case *ast.KeyValueExpr:
				if name, ok := n.Key.(*ast.Ident); ok && name.Name == "name" {
					add(n.Value)
				}
			}
			return true
		})
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func isFunc(e ast.Expr) bool {
	_, ok := e.(*ast.FuncType)
	return ok
}

// TestDocumentsOfOperations requires each operation in the policy reference, and
// each function of the SDK in the page for authors.
func TestDocumentsOfOperations(t *testing.T) {
	var words []string
	for _, operation := range abi.Operations() {
		words = append(words, "`"+operation+"`")
	}
	wantWords(t, "docs/policy-reference.md", document(t, "docs/policy-reference.md"), words)
	text := document(t, "docs/providers.md")
	for _, d := range append(source(t, "guest-sdk/backend/backend.go").Decls, source(t, "guest-sdk/backend/operations.go").Decls...) {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !f.Name.IsExported() {
			continue
		}
		if name := f.Name.Name; !strings.Contains(text, "`"+name+"`") && !strings.Contains(text, "backend."+name) {
			t.Errorf("docs/providers.md: missing backend.%s", name)
		}
	}
}

// TestDocumentsHaveNoDeadLinks follows each relative link and its heading.
func TestDocumentsHaveNoDeadLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	all := documents(t)
	for file, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			to := file
			if target != "" {
				to = path.Join(path.Dir(file), target)
			}
			if _, err := os.Stat(filepath.Join(clitest.Root(), filepath.FromSlash(to))); err != nil {
				t.Errorf("%s: dead link %s", file, m[1])
			} else if heading != "" && !slices.Contains(anchors(all[to]), heading) {
				t.Errorf("%s: link %s to a missing heading", file, m[1])
			}
		}
	}
}

var docHeading = regexp.MustCompile(`(?m)^#+ (.+)$`)

// anchors returns the link targets of the headings.
func anchors(text string) []string {
	var found []string
	for _, m := range docHeading.FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile("[^a-z0-9 _-]").ReplaceAllString(strings.ToLower(m[1]), "")
		found = append(found, strings.ReplaceAll(name, " ", "-"))
	}
	return found
}

// TestReasonsAreThere requires every "Why ...?" that code refers to in
// RATIONALE.md, and every entry there in its index.
func TestReasonsAreThere(t *testing.T) {
	rationale := document(t, "RATIONALE.md")
	comment, reason := regexp.MustCompile(`\s+(// )?`), regexp.MustCompile(`"(Why [^"]+\?)" in RATIONALE`)
	found := 0
	err := filepath.WalkDir(clitest.Root(), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "docs_test.go") {
			return err
		}
		data, err := os.ReadFile(file)
		if !bytes.Contains(data, []byte("RATIONALE")) {
			return err
		}
		text := comment.ReplaceAllString(string(data), " ")
		for _, m := range reason.FindAllStringSubmatch(text, -1) {
			found++
			wantWords(t, "RATIONALE.md", rationale, []string{"## " + m[1] + "\n"})
		}
		return err
	})
	if err != nil || found == 0 {
		t.Errorf("%d reasons found: %v", found, err)
	}
	for _, m := range regexp.MustCompile(`(?m)^#+ (Why .+)$`).FindAllStringSubmatch(rationale, -1) {
		wantWords(t, "RATIONALE.md", rationale, []string{"- [" + m[1] + "](#" + anchors(m[0])[0] + ")\n"})
	}
}

// longDocuments may have more than 2,500 words, each for a reason.
var longDocuments = map[string]string{
	"docs/abi.md":              "a provider uses its operations together",
	"docs/attacks.md":          "it is generated",
	"docs/cli.md":              "one section for each command, in the order of the help",
	"docs/policy-reference.md": "the keys of one file, looked up together",
}

// TestDocumentOfTree requires the packages of the host and the SDK in the tables of
// docs/development.md, and no other.
func TestDocumentOfTree(t *testing.T) {
	want := make(map[string]bool)
	for _, top := range []string{"guest-sdk", "hostfuncs", "internal", "runtime"} {
		for file := range filesIn(t, top, ".go") {
			dir := path.Dir(file)
			if !strings.HasSuffix(file, "_test.go") && !strings.HasSuffix(dir, "test") && !strings.Contains(dir, "/testdata") {
				want[dir] = true
			}
		}
	}
	text := document(t, "docs/development.md")
	for dir := range want {
		wantWords(t, "docs/development.md", text, []string{"`" + dir + "`"})
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `((?:hostfuncs|internal|runtime)/[a-z/]+)` \\|").FindAllStringSubmatch(text, -1) {
		if !want[m[1]] && !strings.HasSuffix(m[1], "test") {
			t.Errorf("docs/development.md: no package %s", m[1])
		}
	}
}

// TestDocumentsAreShort limits a page to what a reader reads in one sitting.
func TestDocumentsAreShort(t *testing.T) {
	for file, text := range documents(t) {
		_, long := longDocuments[file]
		if words := len(strings.Fields(text)); strings.HasPrefix(file, "docs/") && (words > 2500) != long {
			t.Errorf("%s: %d words; split a page over 2,500 or give a reason", file, words)
		}
	}
}

func wantWords(t *testing.T, name, text string, words []string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s: missing %q", name, word)
		}
	}
}

// source parses one of the repository's Go files.
func source(t *testing.T, name string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, document(t, name), 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// constants returns a file's constants with their values as written.
func constants(t *testing.T, name string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	ast.Inspect(source(t, name), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 {
			return true
		}
		if value, ok := spec.Values[0].(*ast.BasicLit); ok {
			found[spec.Names[0].Name] = value.Value
		}
		return true
	})
	return found
}
