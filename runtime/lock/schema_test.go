package lock_test

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/schematest"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
)

func parseLock(text string) error {
	_, err := lock.Parse("l", []byte(text))
	return err
}

func TestSchemaAgrees(t *testing.T) {
	golden, err := os.ReadFile("testdata/stagecraft.lock")
	if err != nil {
		t.Fatal(err)
	}
	const start, end = "version: 1\nproviders: {a: {version: v, sha256: '" + digest + "', abi: 1, source: file, path: p, imports: ", "}}"
	c := schematest.Corpus{
		Accepted: []string{string(golden), "version: 1\nproviders: {}", start + ", asked: {exec: , daemons: [[a], ]}, granted: {}" + end,
			start + "[], asked: {connect: [1]}, granted: {connect: [1]}" + end},
		Rejected: []string{"version: 1", start + "[], asked: , granted: {}" + end, start + "[1], asked: {}, granted: {}" + end, start + "[], asked: {connect: [a]}, granted: {}" + end},
		Unsaid:   map[string]string{"version: 1.0\nproviders: {}": "to JSON Schema, 1.0 is 1"},
	}
	for name, tt := range wrongLocks(t) {
		switch {
		case slices.Contains([]string{"granted more", "granted another"}, name):
			c.Unsaid[tt.text] = "JSON Schema cannot compare two lists"
		default:
			c.Rejected = append(c.Rejected, tt.text)
		}
	}
	schematest.Agree(t, lock.Schema, parseLock, c)
}

// TestSchemaKeys requires the schema to have exactly the fields of an entry, and of what a
// provider asks for.
func TestSchemaKeys(t *testing.T) {
	var schema any
	if err := json.Unmarshal(lock.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	for path, of := range map[string]reflect.Type{
		"$defs/entry": reflect.TypeFor[lock.Entry](), "$defs/rights": reflect.TypeFor[abi.Capabilities](),
		"$defs/rights/properties/exec/items": reflect.TypeFor[abi.ExecAsk](), "$defs/rights/properties/build/items": reflect.TypeFor[abi.BuildAsk](),
	} {
		at := schema
		for key := range strings.SplitSeq(path+"/properties", "/") {
			at = at.(map[string]any)[key]
		}
		var want []string
		for _, f := range reflect.VisibleFields(of) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" {
				want = append(want, name)
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(at.(map[string]any))); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

// FuzzSchemaAgrees requires the schema to accept what the parser does.
func FuzzSchemaAgrees(f *testing.F) {
	for _, tt := range wrongLocks(f) {
		f.Add(tt.text)
	}
	compiled := schematest.Compile(f, lock.Schema)
	f.Fuzz(func(t *testing.T, text string) {
		if parseLock(text) != nil {
			return
		}
		if err := schematest.Validate(compiled, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
