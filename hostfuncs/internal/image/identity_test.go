package image

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func digestOf(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

func TestIdentity(t *testing.T) {
	config, manifest, other := digestOf("c"), digestOf("1"), digestOf("2")
	plain := Identity{Config: config}
	built := Identity{Config: config, Engine: config}
	packed := Identity{Config: config, Manifests: []string{manifest}}
	for name, tt := range map[string]struct {
		is          Identity
		id, digest  string
		others      []string
		hasManifest bool
	}{
		"nothing":                    {is: Identity{}},
		"a configuration alone":      {is: plain, id: config},
		"in an older engine":         {is: built, id: config},
		"in one with manifests":      {is: packed.Loaded(Identity{Engine: manifest}), id: manifest, digest: manifest, hasManifest: true},
		"in no engine":               {is: packed, id: config, digest: manifest},
		"for several platforms":      {is: Identity{Manifests: []string{manifest}}, id: manifest, digest: manifest},
		"written":                    {is: built.Written(manifest), id: config, digest: manifest},
		"written twice":              {is: built.Written(manifest).Written(manifest), id: config, digest: manifest},
		"written, and pushed anew":   {is: built.Written(manifest).Pushed(other), id: config, digest: other, others: []string{manifest}},
		"pushed as it was":           {is: packed.Pushed(manifest), id: config, digest: manifest},
		"pushed, then written anew":  {is: built.Pushed(other).Written(manifest), id: config, digest: other, others: []string{manifest}},
		"pushed as it is in another": {is: Identity{Config: config, Manifests: []string{manifest, other}}.Pushed(other), id: config, digest: other, others: []string{manifest}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.is.ID(); got != tt.id {
				t.Errorf("the ID is %s, want %s", got, tt.id)
			}
			if got := tt.is.Digest(); got != tt.digest {
				t.Errorf("the digest is %s, want %s", got, tt.digest)
			}
			if diff := cmp.Diff(tt.others, append([]string(nil), tt.is.OtherDigests()...)); diff != "" {
				t.Errorf("others, -want +got:\n%s", diff)
			}
			if got := tt.is.HasManifest(); got != tt.hasManifest {
				t.Errorf("has a manifest: %v", got)
			}
		})
	}
	if diff := cmp.Diff(Identity{Config: config, Manifests: []string{manifest}}, packed); diff != "" {
		t.Errorf("a value was changed:\n%s", diff)
	}
}

func TestIsSame(t *testing.T) {
	config, manifest, other := digestOf("c"), digestOf("1"), digestOf("2")
	for name, tt := range map[string]struct {
		built, copied Identity
		want          bool
	}{
		"by the configuration":      {Identity{Config: config}, Identity{Config: config, Manifests: []string{manifest}}, true},
		"another configuration":     {Identity{Config: config}, Identity{Config: digestOf("d"), Manifests: []string{manifest}}, false},
		"by the manifest":           {Identity{Manifests: []string{manifest}}, Identity{Manifests: []string{manifest}}, true},
		"another manifest":          {Identity{Config: config, Manifests: []string{manifest}}, Identity{Config: config, Manifests: []string{other}}, false},
		"nothing is known of both":  {Identity{}, Identity{}, false},
		"no configuration is known": {Identity{Engine: config}, Identity{Manifests: []string{manifest}}, false},
	} {
		if got := tt.built.IsSame(tt.copied); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestParseTag(t *testing.T) {
	hex := strings.Repeat("0", 64)
	for tag, want := range map[string]string{
		"a":                             "",
		"a:1.2_3-x":                     "",
		"ghcr.io/acme/shop:dev":         "",
		"localhost:5000/a":              "",
		"":                              "invalid reference format",
		"A":                             "must be lowercase",
		"a:":                            "invalid reference format",
		"a b":                           "invalid reference format",
		"-a":                            "invalid reference format",
		"a:b:c":                         "invalid reference format",
		"a@sha256:" + hex:               "leave it out",
		"a:b@sha256:" + hex:             "leave it out",
		hex:                             "64-byte hexadecimal",
		"https://ghcr.io/a":             "invalid reference format",
		"a:" + strings.Repeat("x", 129): "invalid reference format",
		"\x1b[31ma":                     `"\x1b[31ma"`,
	} {
		_, err := ParseTag(tag)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("ParseTag(%q) = %v, want %q", tag, err, want)
		}
	}
}
