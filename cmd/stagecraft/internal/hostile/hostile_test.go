// Package hostile_test attacks the real binary, and tests the attacks by removing each
// guard from the source in turn.
package hostile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestMain runs the tests with the real binary.
func TestMain(m *testing.M) { clitest.Main(m) }

// commands are the script commands that only attacks have.
var commands = map[string]clitest.Command{"daemon": cmdDaemon}

// hostileDir has one attack a file, FAMILY-name.txtar.
var hostileDir = filepath.Join("..", "..", "..", "..", "hostfuncs", "hostile")

// families are the kinds of attacks, in the order of docs/attacks.md. Those of processes
// run both ways in each test run: with helpers, and with a program that executes itself.
var families = []struct {
	name, title string
	processes   bool
}{
	{"exec", "Running programs", true},
	{"files", "Files", false},
	{"values", "Values", false},
	{"policy", "Policies", false},
	{"net", "Ports", false},
	{"terminal", "Terminal and workflow", false},
	{"build", "Image builds", false},
	{"runtime", "Modules", true},
	{"store", "Cache, lock file and directories", false},
}

// leastOfFamily is the minimum number of attacks in each family.
const leastOfFamily = 5

// attack is one case of the suite. Its file begins with a header:
//
//	# name: the attack, in a few words
//	# mechanism: how it would work,
//	#   on several lines if necessary
//	# source: CVE-2021-4034, golang/go#43724 or our own
//	# must: the required result
//	# guard: the mutations that remove its defence; optional
type attack struct {
	file   string
	family string

	name, mechanism, source, must string
	guards                        []string
}

var (
	attackFile   = regexp.MustCompile(`^([a-z]+)-[a-z0-9-]+\.txtar$`)
	attackSource = regexp.MustCompile(`^(?:CVE-\d{4}-\d{4,}|[\w.-]+/[\w.-]+#\d+)$`)
	guardID      = regexp.MustCompile(`^[a-z0-9-]+$`)
)

// attacks reads the headers of all cases.
func attacks(t *testing.T) []attack {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(hostileDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []attack
	names := make(map[string]string)
	for _, file := range files {
		a, err := readAttack(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if other, ok := names[a.name]; ok {
			t.Errorf("%s: duplicate name (first in %s)", file, other)
		}
		names[a.name] = file
		all = append(all, a)
	}
	return all
}

func readAttack(file string) (attack, error) {
	a := attack{file: file}
	m := attackFile.FindStringSubmatch(filepath.Base(file))
	if m == nil || titleOf(m[1]) == "" {
		return a, fmt.Errorf("the file's name is not FAMILY-name.txtar")
	}
	a.family = m[1]
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return a, err
	}
	header, script, _ := strings.Cut(string(archive.Comment), "\n\n")
	if strings.TrimSpace(script) == "" {
		return a, fmt.Errorf("no script comes after the header and an empty line")
	}
	return a, a.parse(header)
}

func titleOf(family string) string {
	for _, f := range families {
		if f.name == family {
			return f.title
		}
	}
	return ""
}

// parse requires each key once, in this order; a guard is optional.
func (a *attack) parse(header string) error {
	var guards string
	rest := strings.Split(header, "\n")
	for _, field := range []struct {
		key  string
		into *string
	}{{"name", &a.name}, {"mechanism", &a.mechanism}, {"source", &a.source}, {"must", &a.must}, {"guard", &guards}} {
		if field.into == &guards && len(rest) == 0 {
			break
		}
		if len(rest) == 0 || !strings.HasPrefix(rest[0], "# "+field.key+": ") {
			return fmt.Errorf("missing %q in the header, or not in its place", "# "+field.key+": ")
		}
		words := strings.Fields(strings.TrimPrefix(rest[0], "# "+field.key+": "))
		for rest = rest[1:]; len(rest) > 0 && strings.HasPrefix(rest[0], "#   "); rest = rest[1:] {
			words = append(words, strings.Fields(rest[0][1:])...)
		}
		if *field.into = strings.Join(words, " "); len(words) == 0 {
			return fmt.Errorf("%s is empty", field.key)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("unexpected %q after the header", rest[0])
	}
	if guards != "" {
		a.guards = strings.Split(guards, ", ")
	}
	for _, source := range a.sources() {
		if !attackSource.MatchString(source) {
			return fmt.Errorf("source %q is not a CVE, an issue such as golang/go#43724 or \"our own\"", source)
		}
	}
	for _, guard := range a.guards {
		if !guardID.MatchString(guard) {
			return fmt.Errorf("%q is not the name of a guard", guard)
		}
	}
	return nil
}

// id is the script's name: the file's without its extension.
func (a *attack) id() string { return strings.TrimSuffix(filepath.Base(a.file), ".txtar") }

// sources are earlier reports of the attack, if any.
func (a *attack) sources() []string {
	if a.source == "our own" {
		return nil
	}
	return strings.Split(a.source, ", ")
}

// TestHostile runs each attack with the real binary.
func TestHostile(t *testing.T) {
	count := make(map[string]int)
	p := clitest.Scripts(t.TempDir(), clitest.Binary(), commands)
	for _, a := range attacks(t) {
		count[a.family]++
		p.Files = append(p.Files, a.file)
	}
	for _, f := range families {
		if count[f.name] < leastOfFamily {
			t.Errorf("family %s has %d attacks, expected at least %d", f.name, count[f.name], leastOfFamily)
		}
	}
	testscript.Run(t, p)
}

// TestHostilePlain runs attacks with a binary without helpers: the program executes itself
// as the guard of commands and as the process of modules.
func TestHostilePlain(t *testing.T) {
	p := clitest.Scripts(t.TempDir(), clitest.Plain(), commands)
	for _, f := range families {
		if f.processes || providertest.IsLong() {
			for _, a := range ofFamily(attacks(t), f.name) {
				p.Files = append(p.Files, a.file)
			}
		}
	}
	testscript.Run(t, p)
}

// The table in docs/attacks.md is between these.
const (
	tableFile  = "docs/attacks.md"
	tableBegin = "<!-- attacks: go test ./cmd/stagecraft/internal/hostile -run TestHostileTable -update -->\n"
	tableEnd   = "<!-- attacks end -->\n"
)

// TestHostileTable keeps the table of all attacks up to date.
func TestHostileTable(t *testing.T) {
	text := clitest.ReadFile(t, filepath.Join(clitest.Root(), filepath.FromSlash(tableFile)))
	before, rest, begun := strings.Cut(text, tableBegin)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !begun || !ended {
		t.Fatalf("%s has no markers for the table", tableFile)
	}
	want := before + tableBegin + attackTable(attacks(t), mutations(t)) + tableEnd + after
	switch {
	case text == want:
	case *clitest.Update:
		if err := os.WriteFile(filepath.Join(clitest.Root(), filepath.FromSlash(tableFile)), []byte(want), 0o644); err != nil {
			t.Error(err)
		}
	default:
		t.Errorf("the table of %s is out of date: run this test with -update", tableFile)
	}
}

func attackTable(all []attack, guards []mutation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d attacks, and %d guards that stop them.\n\n| family | attacks | guards |\n|---|---|---|\n", len(all), len(guards))
	for _, f := range families {
		of := ofFamily(all, f.name)
		named := make(map[string]bool)
		for _, a := range of {
			for _, guard := range a.guards {
				named[guard] = true
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %d |\n", f.title, len(of), len(named))
	}
	for _, f := range families {
		fmt.Fprintf(&b, "\n### %s\n\n| attack | how it would work | source | what happens |\n|---|---|---|---|\n", f.title)
		for _, a := range ofFamily(all, f.name) {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(a.name), cell(a.mechanism), a.links(), cell(a.must))
		}
	}
	return b.String() + guardTable(all, guards)
}

func ofFamily(all []attack, family string) []attack {
	return slices.DeleteFunc(slices.Clone(all), func(a attack) bool { return a.family != family })
}

// guardTable counts the attacks that name each guard, or names its Go test.
func guardTable(all []attack, guards []mutation) string {
	var b strings.Builder
	b.WriteString("\n### Guards\n\n| guard | what it does | attacks |\n|---|---|---|\n")
	for _, m := range guards {
		n := len(slices.DeleteFunc(slices.Clone(all), func(a attack) bool { return !slices.Contains(a.guards, m.guard) }))
		by := strconv.Itoa(n)
		if m.test != "" {
			by = "`" + m.test + "` of " + m.pkg
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.guard, cell(m.why), by)
	}
	return b.String()
}

func cell(text string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text) }

// links are the sources as Markdown links.
func (a attack) links() string {
	var links []string
	for _, source := range a.sources() {
		link := "https://nvd.nist.gov/vuln/detail/" + source
		if repo, number, ok := strings.Cut(source, "#"); ok {
			link = "https://github.com/" + repo + "/issues/" + number
		}
		links = append(links, fmt.Sprintf("[%s](%s)", source, link))
	}
	if links == nil {
		return "our own"
	}
	return strings.Join(links, ", ")
}
