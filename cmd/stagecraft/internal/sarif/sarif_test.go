package sarif_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/sarif"
)

var update = flag.Bool("update", false, "write the golden file")

// compile reads the schema that OASIS publishes beside the specification.
func compile(t testing.TB) *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(filepath.Join("testdata", "sarif-schema-2.1.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t testing.TB, schema *jsonschema.Schema, doc []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		t.Errorf("%v in\n%s", err, doc)
	}
}

func write(t testing.TB, r sarif.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sarif.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func root(t testing.TB) string {
	abs, err := filepath.Abs("repository")
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// doc is the part that the tests read.
type doc struct {
	Runs []struct {
		Tool struct {
			Driver struct{ Rules []struct{ ID string } }
		}
		Results []struct {
			RuleID    string
			RuleIndex int
			Message   struct{ Text string }
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI, URIBaseID string }
				}
			}
			PartialFingerprints map[string]string
		}
	}
}

func parse(t testing.TB, data []byte) doc {
	t.Helper()
	var d doc
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWrite(t *testing.T) {
	got := write(t, sarif.Report{ToolVersion: "1.2.3", InfoURI: "https://example.com/stagecraft", Root: root(t), Results: []sarif.Result{
		{RuleID: "denied/exec", Message: "npm publish: no rule allows it", Hint: "add to stagecraft.policy.yml:\n- npm publish", File: "shop/stagecraft.yml", Line: 3, Column: 5},
		{RuleID: "denied/docker_build", Message: "tag a{b} [c](d)\x1b[31m", File: filepath.Join(root(t), "größe", "a b#c%?.yml"), Line: 2},
		{RuleID: "denied/exec", Message: "npm publish: no rule allows it", File: "shop/stagecraft.yml", Line: 9},
		{RuleID: "denied/exec", Message: "rm -r .", File: "a:b.yml", Column: 3},
		{RuleID: "denied/net"},
	}})
	validate(t, compile(t), got)
	golden := filepath.Join("testdata", "denied.sarif")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestNothingDenied(t *testing.T) {
	got := write(t, sarif.Report{})
	validate(t, compile(t), got)
	if !strings.Contains(string(got), `"results": []`) {
		t.Errorf("no empty list says that a look was taken: %s", got)
	}
}

// TestSchemaRefuses: the schema rejects an invalid document.
func TestSchemaRefuses(t *testing.T) {
	schema := compile(t)
	good := string(write(t, sarif.Report{Root: root(t), Results: []sarif.Result{{RuleID: "denied/exec", Message: "m", File: "a", Line: 1}}}))
	for _, change := range [][2]string{{`"2.1.0"`, `"2.0.0"`}, {`"text"`, `"texts"`}, {`"startLine": 1`, `"startLine": 0`}, {`"uri": "a"`, `"uri": "%zz"`}} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.ReplaceAll(good, change[0], change[1])))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(v) == nil {
			t.Errorf("%q for %q is taken", change[1], change[0])
		}
	}
}

func TestOutsideOfTheRepository(t *testing.T) {
	outside := filepath.Join(filepath.Dir(root(t)), "ceiling 1.yml")
	d := parse(t, write(t, sarif.Report{Root: root(t), Results: []sarif.Result{{RuleID: "denied/exec", File: outside}, {RuleID: "denied/exec", File: "../ceiling 1.yml"}}}))
	for _, r := range d.Runs[0].Results {
		at := r.Locations[0].PhysicalLocation.ArtifactLocation
		if !strings.HasPrefix(at.URI, "file:///") || !strings.HasSuffix(at.URI, "/ceiling%201.yml") || at.URIBaseID != "" {
			t.Errorf("%+v", at)
		}
	}
}

func TestFingerprints(t *testing.T) {
	base := sarif.Result{RuleID: "denied/exec", Message: "npm publish", File: "a.yml", Line: 3}
	moved, hinted := base, base
	moved.Line, moved.Column, hinted.Hint = 9, 2, "another hint"
	print := func(results ...sarif.Result) []string {
		var prints []string
		for _, r := range parse(t, write(t, sarif.Report{Root: root(t), Results: results})).Runs[0].Results {
			prints = append(prints, r.PartialFingerprints["stagecraftDenial/v1"])
		}
		return prints
	}
	one := print(base)[0]
	if print(moved)[0] != one || print(hinted)[0] != one {
		t.Error("a result that moved is another one")
	}
	if two := print(base, moved); two[0] != one || two[1] == one {
		t.Errorf("two alike have %q", two)
	}
	for _, other := range []sarif.Result{{RuleID: "denied/net", Message: base.Message, File: base.File}, {RuleID: base.RuleID, Message: "x", File: base.File}, {RuleID: base.RuleID, Message: base.Message, File: "b.yml"}} {
		if print(other)[0] == one {
			t.Errorf("%+v has the fingerprint of %+v", other, base)
		}
	}
}

func FuzzWrite(f *testing.F) {
	schema := compile(f)
	f.Add("denied/exec", "npm publish {0} [a](b)", "hint", "a b/ü%/c:d.yml", 1, 1)
	f.Add("", "", "", "", 0, 0)
	f.Add("denied/exec", "m", "", "a.yml", 1, -1)
	f.Add("a\nb", "\x1b[31m\xff", "}", "../../x\xff", -1, -1)
	f.Fuzz(func(t *testing.T, rule, message, hint, file string, line, column int) {
		r := sarif.Result{RuleID: rule, Message: message, Hint: hint, File: file, Line: line, Column: column}
		got := write(t, sarif.Report{ToolVersion: rule, Root: root(t), Results: []sarif.Result{{RuleID: "z"}, r, {RuleID: "a"}}})
		validate(t, schema, got)
		d := parse(t, got).Runs[0]
		for _, res := range d.Results {
			if d.Tool.Driver.Rules[res.RuleIndex].ID != res.RuleID {
				t.Errorf("result %q points at rule %d of %+v", res.RuleID, res.RuleIndex, d.Tool.Driver.Rules)
			}
			if strings.Contains(res.Message.Text, "](") || strings.ContainsAny(strings.NewReplacer("{{", "", "}}", "").Replace(res.Message.Text), "{}") {
				t.Errorf("%q has more than text", res.Message.Text)
			}
		}
		if file == "" {
			return
		}
		at := d.Results[1].Locations[0].PhysicalLocation.ArtifactLocation
		want := filepath.Join(root(t), file)
		if filepath.IsAbs(file) {
			want = filepath.Clean(file)
		}
		u, err := url.Parse(at.URI)
		if err != nil {
			t.Fatal(err)
		}
		back := filepath.FromSlash(u.Path)
		if at.URIBaseID != "" {
			back = filepath.Join(root(t), back)
		}
		if filepath.Clean(back) != want || strings.ContainsAny(at.URI, " \"<>\\^`{|}") {
			t.Errorf("%q became %q, which is %q", file, at.URI, back)
		}
	})
}
