package policytest_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/policytest"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

var update = flag.Bool("update", false, "write the golden differences")

func load(file string) (*capability.Policy, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return capability.Parse(filepath.Base(file), data)
}

// results runs a file of testdata, under the name that it has there.
func results(t *testing.T, name string) []policytest.Result {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	s, err := policytest.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Run(func(file string) (*capability.Policy, error) { return load(filepath.Join("testdata", file)) })
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPassing(t *testing.T) {
	for _, r := range results(t, "passing.yml") {
		if d := r.Difference(); !r.Passed || d != "" {
			t.Errorf("%v %s: %s\n%s", r.Passed, r.Case.Note, r.Decision.Reason(), d)
		}
	}
}

// TestOpposite has the same cases with the other decision wanted.
func TestOpposite(t *testing.T) {
	data, err := os.ReadFile("testdata/passing.yml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("want: allowed", "want: denied", "want: denied", "want: allowed").Replace(string(data))
	s, err := policytest.Parse("testdata/passing.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Run(load)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		if r.Passed || r.Difference() == "" {
			t.Errorf("passed: %s", r.Case.Note)
		}
	}
}

func TestDifference(t *testing.T) {
	var b strings.Builder
	for _, r := range results(t, "failing.yml") {
		b.WriteString(r.Difference())
	}
	const golden = "testdata/failing.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestPolicies(t *testing.T) {
	abs := filepath.Join(t.TempDir(), "abs.yml")
	s, err := policytest.Parse(filepath.Join("ci", "tests.yml"), []byte(`version: 1
policy: [../p.yml, ./q.yml]
provider: generic
cases:
  - {note: a, request: {log: true}, want: allowed}
  - {note: b, request: {log: true}, want: allowed}
  - {note: c, request: {log: true}, want: allowed, policy: x/../r.yml}
  - {note: d, request: {log: true}, want: allowed, policy: '`+abs+`'}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join("ci", "q.yml"), filepath.Join("ci", "r.yml"), "p.yml"}
	want = append(want, abs)
	slices.Sort(want)
	var loaded []string
	if _, err := s.Run(func(file string) (*capability.Policy, error) {
		loaded = append(loaded, file)
		return capability.Nothing(), nil
	}); err != nil {
		t.Fatal(err)
	}
	if slices.Sort(loaded); !slices.Equal(loaded, want) {
		t.Errorf("loaded %v, want each once", loaded)
	}
}

// TestUnusable wants all unreadable policies to be reported.
func TestUnusable(t *testing.T) {
	s, err := policytest.Parse("t.yml", []byte(`version: 1
provider: generic
cases:
  - {note: a, request: {log: true}, want: allowed, policy: gone.yml}
  - {note: b, request: {log: true}, want: allowed, policy: bad.yml}
  - {note: c, request: {log: true}, want: allowed, policy: [gone.yml, bad.yml]}
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Run(func(file string) (*capability.Policy, error) {
		if file == "gone.yml" {
			return nil, fs.ErrNotExist
		}
		return capability.Parse(file, []byte("version: 7"))
	})
	want := `t.yml:4:60: cannot use the policy: file does not exist
t.yml:5:60: cannot use the policy: bad.yml:1:10: version: unknown version "7", this stagecraft reads version 1`
	if err == nil || err.Error() != want {
		t.Fatalf("got\n%v\nwant\n%s", err, want)
	}
	if _, ok := errors.AsType[yamldoc.Problems](err); !ok || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the problems cannot be distinguished: %#v", err)
	}
}

// TestNothingAllowed has no policy behind a name, which denies.
func TestNothingAllowed(t *testing.T) {
	s, err := policytest.Parse("t.yml", []byte("version: 1\npolicy: p\nprovider: generic\ncases: [{note: a, request: {log: true}, want: allowed}]"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Run(func(string) (*capability.Policy, error) { return nil, nil })
	if err != nil || got[0].Passed {
		t.Errorf("got %v, %v", got, err)
	}
}
