package policytest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/policytest"
	"github.com/stagecraft-dev/stagecraft/internal/schematest"
)

func parseTest(text string) error {
	_, err := policytest.Parse("t.yml", []byte(text))
	return err
}

func TestSchemaAgrees(t *testing.T) {
	const (
		outside   = "a path that leaves the project is known once . and .. are resolved"
		reference = "a reference has a grammar, and a limit on its parts together"
		address   = "a URL is decided on in one form alone"
	)
	c := schematest.Corpus{
		Accepted: []string{
			"version: 1\ncases: [{note: n, provider: p, policy: [a, b], request: {log: true}, want: allowed, reason: r}]",
			withRequest("{exec: [a, ''], dir: a/.., program: 'C:\\x', daemons: [a b, [c]], env: {set: [A], pass: []}, load: []}"),
			withRequest("{build: {tags: [a]}, load: .env, env: {pass: [A]}}"), withRequest("{load: [a, b]}"),
		},
		Unsaid: map[string]string{
			withRequest("{write: a/../../b}"):                                outside,
			withRequest("{build: {tags: [a], bases: [node, 'No']}}"):         reference,
			withRequest("{build: {tags: [a], syntax: 'a b'}}"):               reference,
			withRequest("{build: {tags: [a], cache_to: ['type=local']}}"):    reference,
			withRequest("{build: {tags: [a], remotes: ['https://a/../b']}}"): address,
			withRequest("{build: {tags: [a], platforms: [linux/aarch64]}}"):  "the other names of platforms are in a table",
		},
	}
	for _, file := range []string{"testdata/passing.yml", "testdata/failing.yml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c.Accepted = append(c.Accepted, string(data))
	}
	for _, tt := range wrongTests {
		if c.Unsaid[tt.in] == "" {
			c.Rejected = append(c.Rejected, tt.in)
		}
	}
	schematest.Agree(t, policytest.Schema, parseTest, c)
}

// TestTextsAgree takes the policy tests of all scripts and examples.
func TestTextsAgree(t *testing.T) {
	texts := schematest.Texts(t, "../../..", "version: 1", "cases:", "note:")
	if len(texts) < 3 {
		t.Errorf("found %d policy tests", len(texts))
	}
	schematest.Agreed(t, policytest.Schema, parseTest, texts)
}

// FuzzSchemaAgrees requires the schema to accept what the parser does.
func FuzzSchemaAgrees(f *testing.F) {
	data, err := os.ReadFile("testdata/passing.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range strings.Split(string(data), "\n  - ")[1:] {
		f.Add(withCase(text))
	}
	for _, tt := range wrongTests {
		f.Add(tt.in)
	}
	compiled := schematest.Compile(f, policytest.Schema)
	f.Fuzz(func(t *testing.T, text string) {
		if parseTest(text) != nil {
			return
		}
		if err := schematest.Validate(compiled, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
