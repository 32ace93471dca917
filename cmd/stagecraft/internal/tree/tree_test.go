// Package tree_test checks which package may import which, and that all packages compile
// for every system.
package tree_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const repo = "github.com/stagecraft-dev/stagecraft/"

// root is the repository's directory.
var root = filepath.Join("..", "..", "..", "..")

// ours are the packages of both modules.
var ours = []string{"./...", "./guest-sdk/..."}

// layers lists which of our packages each one may import. A package that is not listed
// is an error.
var layers = map[string][]string{
	"guest-sdk/abi":                             {},
	"guest-sdk/backend":                         {"guest-sdk/abi"},
	"guest-sdk/backendtest":                     {"guest-sdk/abi", "guest-sdk/backend"},
	"guest-sdk/settings":                        {"guest-sdk/abi"},
	"guest-sdk/duration":                        {},
	"providers/builtin":                         {},
	"providers/generic":                         {"guest-sdk/abi", "guest-sdk/backend", "guest-sdk/duration"},
	"providers/encorets":                        {"guest-sdk/abi", "guest-sdk/backend", "guest-sdk/duration"},
	"providers/providertest":                    {},
	"providers/providertest/encore":             {},
	"providers/providertest/player":             {"guest-sdk/abi", "guest-sdk/backend", "guest-sdk/settings"},
	"internal/termtext":                         {},
	"internal/yamldoc":                          {"internal/termtext"},
	"runtime/backend":                           {"guest-sdk/abi", "internal/termtext"},
	"runtime/config":                            {"internal/safefile", "internal/yamldoc"},
	"runtime/provider":                          {"runtime/backend", "internal/safefile"},
	"runtime/sandbox":                           {"guest-sdk/abi", "internal/children", "internal/memfile", "internal/termtext", "internal/filelock", "internal/privatedir", "runtime/sandbox/internal/frame", "runtime/sandbox/schema", "runtime/sandbox/worker"},
	"runtime/sandbox/internal/frame":            {"guest-sdk/abi"},
	"runtime/sandbox/internal/bounds":           {},
	"runtime/sandbox/worker":                    {"guest-sdk/abi", "internal/termtext", "internal/safefile", "runtime/sandbox/internal/frame", "runtime/sandbox/internal/bounds"},
	"runtime/sandbox/schema":                    {"guest-sdk/abi", "runtime/sandbox/internal/frame", "runtime/sandbox/internal/bounds"},
	"runtime/sandbox/sandboxtest":               {"guest-sdk/abi", "guest-sdk/backendtest", "runtime/backend", "runtime/sandbox"},
	"runtime/replay":                            {"internal/privatedir", "internal/safefile", "internal/atomicfile"},
	"internal/privatedir":                       {},
	"internal/safefile":                         {},
	"internal/children":                         {},
	"internal/memfile":                          {},
	"internal/atomicfile":                       {"internal/safefile"},
	"internal/filelock":                         {"internal/safefile"},
	"internal/redact":                           {},
	"internal/schematest":                       {"internal/yamldoc"},
	"internal/screen":                           {"internal/safefile"},
	"internal/gitstate":                         {"internal/safefile"},
	"internal/snapshot":                         {"internal/safefile"},
	"runtime/lock":                              {"guest-sdk/abi", "guest-sdk/settings", "internal/termtext", "internal/yamldoc"},
	"runtime/audit":                             {"internal/termtext", "internal/filelock", "internal/privatedir", "internal/safefile", "internal/atomicfile"},
	"runtime/learn":                             {"hostfuncs/capability", "hostfuncs/capability/explain", "internal/yamldoc"},
	"runtime/starter":                           {"guest-sdk/abi", "hostfuncs/capability", "internal/yamldoc"},
	"runtime/provenance":                        {},
	"runtime/doctor":                            {},
	"internal/diskspace":                        {},
	"hostfuncs/capability":                      {"internal/yamldoc"},
	"hostfuncs/capability/explain":              {"hostfuncs/capability", "internal/yamldoc"},
	"hostfuncs/capability/policytest":           {"hostfuncs/capability", "hostfuncs/capability/explain", "internal/termtext", "internal/yamldoc"},
	"hostfuncs/internal/wire":                   {},
	"hostfuncs/internal/guard":                  {"hostfuncs/internal/wire"},
	"hostfuncs/internal/guard/stagecraft-guard": {"hostfuncs/internal/guard"},
	"hostfuncs/internal/confine":                {"hostfuncs/internal/guard", "internal/safefile"},
	"hostfuncs/internal/process":                {"hostfuncs/internal/confine", "hostfuncs/internal/guard", "internal/children", "internal/memfile"},
	"hostfuncs/internal/image":                  {"hostfuncs/internal/dockerfile", "internal/termtext", "internal/safefile"},
	"hostfuncs/internal/dockerfile":             {"internal/termtext"},
	"hostfuncs/internal/embedded":               {"hostfuncs/internal/dockerfile", "hostfuncs/internal/image", "hostfuncs/internal/registry", "internal/termtext", "internal/safefile"},
	"hostfuncs/internal/image/imagetest":        {},
	"hostfuncs/internal/docker":                 {"hostfuncs/internal/dockerfile", "hostfuncs/internal/image", "hostfuncs/internal/registry", "hostfuncs/internal/supported", "internal/termtext", "internal/safefile"},
	"hostfuncs/internal/buildkit":               {"hostfuncs/internal/dockerfile", "hostfuncs/internal/image", "hostfuncs/internal/registry", "hostfuncs/internal/supported", "internal/termtext", "internal/safefile"},
	"hostfuncs/internal/supported":              {},
	"hostfuncs/internal/registry":               {"internal/termtext", "internal/safefile"},
	"hostfuncs/internal/registry/registrytest":  {"providers/providertest"},
	"hostfuncs/internal/dotenv":                 {},
	"hostfuncs/internal/probe":                  {},
	"hostfuncs/internal/keyboard":               {},
	"hostfuncs/internal/watch":                  {"hostfuncs/capability", "hostfuncs/files", "internal/safefile"},
	"hostfuncs/internal/inputs":                 {"internal/privatedir", "internal/safefile", "internal/atomicfile"},
	"hostfuncs/internal/docker/testdata/tool":   {},
	"hostfuncs/build": {
		"guest-sdk/abi", "hostfuncs", "hostfuncs/asks", "hostfuncs/capability", "hostfuncs/files", "hostfuncs/values",
		"hostfuncs/internal/buildkit", "hostfuncs/internal/docker", "hostfuncs/internal/dockerfile", "hostfuncs/internal/embedded",
		"hostfuncs/internal/image", "hostfuncs/internal/process", "hostfuncs/internal/registry",
		"internal/atomicfile", "internal/redact", "internal/yamldoc",
	},
	// The gate imports no family of operations. A family imports the gate, and others
	// only in the order files, values, then exec and build.
	"hostfuncs":        {"guest-sdk/abi", "hostfuncs/capability", "hostfuncs/capability/explain", "internal/redact", "internal/termtext"},
	"hostfuncs/asks":   {"guest-sdk/abi", "internal/yamldoc"},
	"hostfuncs/log":    {"guest-sdk/abi", "hostfuncs", "hostfuncs/capability", "internal/termtext"},
	"hostfuncs/files":  {"guest-sdk/abi", "hostfuncs", "hostfuncs/asks", "hostfuncs/capability", "internal/yamldoc"},
	"hostfuncs/values": {"guest-sdk/abi", "hostfuncs", "hostfuncs/asks", "hostfuncs/capability", "hostfuncs/files", "hostfuncs/internal/dotenv", "internal/redact", "internal/termtext", "internal/yamldoc"},
	"hostfuncs/exec": {
		"guest-sdk/abi", "hostfuncs", "hostfuncs/asks", "hostfuncs/capability", "hostfuncs/files", "hostfuncs/values",
		"hostfuncs/internal/confine", "hostfuncs/internal/inputs", "hostfuncs/internal/keyboard", "hostfuncs/internal/probe", "hostfuncs/internal/process", "hostfuncs/internal/watch",
		"internal/filelock", "internal/redact", "internal/safefile", "internal/screen", "internal/termtext", "internal/yamldoc",
	},
	"hostfuncs/hosttest": {"guest-sdk/abi", "hostfuncs", "hostfuncs/capability", "hostfuncs/internal/image/imagetest"},
	"runtime/session": {
		"guest-sdk/abi", "hostfuncs", "hostfuncs/asks", "hostfuncs/build", "hostfuncs/capability", "hostfuncs/capability/explain", "hostfuncs/exec", "hostfuncs/files", "hostfuncs/log", "hostfuncs/values",
		"runtime/audit", "runtime/backend", "runtime/config", "runtime/doctor",
		"internal/diskspace", "internal/privatedir", "internal/filelock", "internal/gitstate", "runtime/lock", "internal/redact", "runtime/provider", "internal/termtext", "runtime/provenance", "runtime/replay", "internal/safefile", "internal/screen", "runtime/sandbox", "internal/snapshot", "runtime/starter", "internal/atomicfile", "internal/yamldoc",
	},
	"cmd/stagecraft/internal/actions": {"internal/termtext", "internal/safefile"},
	"cmd/stagecraft/internal/sarif":   {"internal/termtext"},
	"cmd/stagecraft/internal/bench":   {},
	"cmd/stagecraft/internal/clitest": {"guest-sdk/abi", "providers/providertest", "runtime/audit", "runtime/lock", "runtime/provenance"},
	"cmd/stagecraft/internal/conduct": {},
	"cmd/stagecraft/internal/docs":    {},
	"cmd/stagecraft/internal/hostile": {},
	"cmd/stagecraft/internal/tree":    {},
	"cmd/stagecraft/internal/cli": {
		"cmd/stagecraft/internal/actions", "cmd/stagecraft/internal/sarif",
		"guest-sdk/abi", "hostfuncs/capability", "hostfuncs/capability/explain", "hostfuncs/capability/policytest", "runtime/audit",
		"runtime/backend", "runtime/config", "runtime/doctor", "runtime/learn", "runtime/lock", "internal/redact", "runtime/provider", "internal/termtext",
		"runtime/provenance", "internal/safefile", "runtime/sandbox", "runtime/session", "internal/atomicfile", "internal/yamldoc",
	},
	"cmd/stagecraft/internal/collector": {},
	"cmd/stagecraft/internal/quiet":     {},
	"cmd/stagecraft/internal/helpers":   {},
	"cmd/stagecraft-sandbox":            {"runtime/sandbox/worker"},
	"cmd/stagecraft-schema":             {"runtime/sandbox/schema"},
	"cmd/stagecraft":                    {"runtime/session", "cmd/stagecraft/internal/cli", "cmd/stagecraft/internal/collector", "cmd/stagecraft/internal/helpers", "cmd/stagecraft/internal/quiet", "providers/builtin", "runtime/sandbox"},
}

// only lists the packages that may import a restricted package.
var only = map[string][]string{
	"gopkg.in/yaml.v3":                                    {"internal/yamldoc"},
	"github.com/docker/docker/":                           {"hostfuncs/internal/docker"},
	"github.com/moby/buildkit/client":                     {"hostfuncs/internal/buildkit"},
	"github.com/moby/buildkit/session":                    {"hostfuncs/internal/buildkit"},
	"github.com/moby/buildkit/frontend/dockerfile/parser": {"hostfuncs/internal/buildkit", "hostfuncs/internal/dockerfile"},
	"github.com/google/go-containerregistry":              {"hostfuncs/internal/embedded", "hostfuncs/internal/image", "hostfuncs/internal/registry", "providers/providertest"},
	"github.com/extism/go-sdk":                            {"runtime/sandbox/worker"},
	"github.com/tetratelabs/wazero":                       {"runtime/sandbox/worker"},
	"github.com/extism/go-pdk":                            {"providers/providertest/player"},
	"github.com/alecthomas/kong":                          {"cmd/stagecraft/internal/cli"},
	"os/exec":                                             {"cmd/stagecraft/internal/clitest", "providers/providertest", "providers/providertest/encore"},
	"net/http":                                            {"cmd/stagecraft/internal/clitest", "hostfuncs/internal/docker", "hostfuncs/internal/probe", "hostfuncs/internal/registry", "hostfuncs/internal/registry/registrytest", "providers/providertest", "providers/providertest/encore"},
	"github.com/compose-spec/":                            {"hostfuncs/internal/dotenv"},
	"github.com/secure-systems-lab":                       {"runtime/provenance"},
	"unsafe":                                              {"cmd/stagecraft/internal/quiet", "hostfuncs/internal/confine", "hostfuncs/internal/guard", "hostfuncs/internal/process", "runtime/sandbox/internal/bounds"},
	"kernel.org/pub/linux/libs/security/libcap/psx":       {"runtime/sandbox/internal/bounds"},
	"github.com/santhosh-tekuri/jsonschema":               {"internal/schematest", "runtime/sandbox/schema"},
	"github.com/fsnotify/":                                {"hostfuncs/exec", "hostfuncs/internal/watch"},
	"golang.org/x/text":                                   {"hostfuncs/capability", "internal/screen", "internal/termtext"},
}

type listed struct {
	ImportPath, Dir  string
	GoFiles, Imports []string
	Module           *struct {
		Path, Version, Dir string
		Replace            *struct{}
	}
}

// TestLayers checks the imports on every system.
func TestLayers(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows", "wasip1"} {
		t.Run(system, func(t *testing.T) {
			arch := "amd64"
			if system == "wasip1" {
				arch = "wasm"
			}
			for _, p := range goList(t, []string{"GOOS=" + system, "GOARCH=" + arch}, ours...) {
				checkLayer(t, strings.TrimPrefix(p.ImportPath, repo), p)
			}
		})
	}
}

func checkLayer(t *testing.T, name string, p listed) {
	t.Helper()
	allowed, ok := layers[name]
	if !ok {
		t.Errorf("package %s is not in layers", name)
		return
	}
	for _, imported := range p.Imports {
		if ours, ok := strings.CutPrefix(imported, repo); ok {
			if why := wrongWay(name, ours); why != "" {
				t.Errorf("%s imports %s: %s", name, ours, why)
			} else if !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s", name, ours)
			}
		}
		for restricted, importers := range only {
			if (imported == restricted || strings.HasPrefix(imported, strings.TrimSuffix(restricted, "/")+"/")) && !slices.Contains(importers, name) {
				t.Errorf("%s imports %s, which only %v may", name, imported, importers)
			}
		}
	}
	if strings.HasPrefix(name, "guest-sdk/") {
		for _, imported := range p.Imports {
			host, _, _ := strings.Cut(imported, "/")
			if strings.Contains(host, ".") && !strings.HasPrefix(imported, repo+"guest-sdk/") {
				t.Errorf("%s imports %s: guest-sdk may import only the standard library", name, imported)
			}
		}
	}
}

// wrongWay returns the rule that an import breaks, "" for none.
func wrongWay(name, imported string) string {
	top, _, _ := strings.Cut(name, "/")
	to, below, _ := strings.Cut(imported, "/")
	switch {
	case top == "internal" && to != "internal":
		return "internal is for utilities that know nothing of Stagecraft"
	case top == "hostfuncs" && (to == "runtime" || to == "cmd"):
		return "hostfuncs imports nothing of runtime or cmd"
	case (top == "runtime" || top == "cmd") && to == "hostfuncs" && name != "runtime/session" && below != "capability" && !strings.HasPrefix(below, "capability/"):
		return "only runtime/session imports hostfuncs and its families; the rest of runtime and cmd may import capability"
	}
	return ""
}

func goList(t *testing.T, env []string, args ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", "-json=ImportPath,Dir,GoFiles,Imports,Module"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// TestNoPackageInRuntime: no package is named like the standard library's runtime.
func TestNoPackageInRuntime(t *testing.T) {
	for _, p := range goList(t, nil, "./...") {
		if p.ImportPath == repo+"runtime" {
			t.Error("there must not be a package in runtime/ itself")
		}
	}
}
