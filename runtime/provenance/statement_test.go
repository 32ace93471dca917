package provenance_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	slsa "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

var update = flag.Bool("update", false, "write the golden file")

func TestStatement(t *testing.T) {
	var got bytes.Buffer
	if err := json.Indent(&got, payload(t, build()), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	file := filepath.Join("testdata", "statement.json")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the statement is another one than in %s:\n%s", file, got.String())
	}
}

// TestStatementIsOfTheSpecifications has in-toto's own types read a statement,
// which refuse unknown fields.
func TestStatementIsOfTheSpecifications(t *testing.T) {
	for name, b := range map[string]provenance.Build{"all": build(), "least": least()} {
		t.Run(name, func(t *testing.T) {
			data := payload(t, b)
			s := new(intoto.Statement)
			if err := protojson.Unmarshal(data, s); err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(); err != nil {
				t.Error(err)
			}
			predicate, err := protojson.Marshal(s.GetPredicate())
			if err != nil {
				t.Fatal(err)
			}
			p := new(slsa.Provenance)
			if err := protojson.Unmarshal(predicate, p); err != nil {
				t.Fatal(err)
			}
			if err := p.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// least is a build of which no more is known than has to be.
func least() provenance.Build {
	return provenance.Build{
		Image: "shop", Digests: []string{"sha256:" + digit("1")},
		External: provenance.External{Config: provenance.File{Name: "stagecraft.yml", SHA256: digit("2")}, Tag: "shop"},
		Provider: provenance.Module{ID: "generic", SHA256: digit("6")},
	}
}

// TestStatementInventsNothing: unknown values have no field.
func TestStatementInventsNothing(t *testing.T) {
	data := string(payload(t, least()))
	for _, field := range []string{"policies", "plan", "imageFrom", "push", "uri", "version", "invocationId", "startedOn", "finishedOn", "0001-01-01", "null"} {
		if strings.Contains(data, `"`+field+`"`) || strings.Contains(data, "null") {
			t.Errorf("%s is told of: %s", field, data)
		}
	}
}

func TestSubject(t *testing.T) {
	for image, name := range map[string]string{
		"shop": "shop", "shop:1": "shop", "localhost:5000/acme/shop:1": "localhost:5000/acme/shop",
		"ghcr.io/acme/shop:1@sha256:" + digit("1"): "ghcr.io/acme/shop",
	} {
		b := least()
		b.Image = image
		s, err := provenance.New(b)
		if err != nil || s.Subject[0].Name != name || s.Subject[0].Digest["sha256"] != digit("1") {
			t.Errorf("%s: %+v, %v", image, s.Subject, err)
		}
	}
}

func TestNoSubject(t *testing.T) {
	for _, change := range []func(*provenance.Build){
		func(b *provenance.Build) { b.Digests = nil },
		func(b *provenance.Build) { b.Digests = []string{digit("1")} },
		func(b *provenance.Build) { b.Digests = []string{"sha512:" + digit("1")} },
		func(b *provenance.Build) { b.Digests = []string{"sha256:" + digit("A")} },
		func(b *provenance.Build) { b.Digests[0] += "\n" },
		func(b *provenance.Build) { b.Config = digit("1") },
		func(b *provenance.Build) { b.Image = "" },
		func(b *provenance.Build) { b.Image = "Shop:1" },
		func(b *provenance.Build) { b.Image = "@sha256:" + digit("1") },
		func(b *provenance.Build) { b.Bases = []provenance.Base{{Reference: "A B"}} },
		func(b *provenance.Build) { b.Bases = []provenance.Base{{Reference: "a", Digest: digit("1")}} },
	} {
		b := least()
		change(&b)
		if s, err := provenance.New(b); err == nil {
			t.Errorf("%+v has the statement %+v", b, s)
		}
	}
}

// TestSubjects: each digest of an image occurs once, the first has the name, and the
// configuration has its media type.
func TestSubjects(t *testing.T) {
	one, two, config := "sha256:"+digit("1"), "sha256:"+digit("2"), "sha256:"+digit("c")
	first := provenance.Descriptor{Name: "shop", Digest: map[string]string{"sha256": digit("1")}}
	second := provenance.Descriptor{Digest: map[string]string{"sha256": digit("2")}}
	last := provenance.Descriptor{Digest: map[string]string{"sha256": digit("c")}, MediaType: "application/vnd.oci.image.config.v1+json"}
	for name, tt := range map[string]struct {
		digests []string
		config  string
		want    []provenance.Descriptor
	}{
		"a manifest":           {[]string{one}, "", []provenance.Descriptor{first}},
		"and a configuration":  {[]string{one}, config, []provenance.Descriptor{first, last}},
		"of an older engine":   {[]string{one}, one, []provenance.Descriptor{first}},
		"a configuration":      {nil, one, []provenance.Descriptor{first}},
		"two manifests":        {[]string{one, two}, config, []provenance.Descriptor{first, second, last}},
		"the same twice":       {[]string{one, two, one}, two, []provenance.Descriptor{first, {Digest: second.Digest, MediaType: last.MediaType}}},
		"several platforms":    {[]string{one, ""}, "", []provenance.Descriptor{first}},
		"nothing but an empty": {[]string{""}, one, []provenance.Descriptor{first}},
	} {
		b := least()
		b.Digests, b.Config = tt.digests, tt.config
		s, err := provenance.New(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, s.Subject); diff != "" {
			t.Errorf("%s, -want +got:\n%s", name, diff)
		}
	}
}

// TestMarshal: times are in UTC, and characters of HTML are not escaped.
func TestMarshal(t *testing.T) {
	b := least()
	b.Started = time.Date(2026, 1, 2, 3, 0, 0, 0, time.FixedZone("", -3600))
	b.External.Config.Name = "a&b.yml"
	data := string(payload(t, b))
	for _, want := range []string{`"startedOn":"2026-01-02T04:00:00Z"`, `"a&b.yml"`} {
		if !strings.Contains(data, want) {
			t.Errorf("no %s in %s", want, data)
		}
	}
}
