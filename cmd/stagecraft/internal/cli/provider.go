package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type providerListCmd struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

func (providerListCmd) Help() string {
	return `Providers are found in stagecraft itself, in .stagecraft/providers beside
stagecraft.yml, and in the user's data directory, in this order.

Examples:
  stagecraft provider list
  stagecraft provider list --json`
}

type providerJSON struct {
	ID     string `json:"id"`
	Origin string `json:"origin"`
	Path   string `json:"path"`
}

// Run is called by kong.
func (c providerListCmd) Run(a *app) error {
	sources, err := session.Providers(a.options())
	if err != nil {
		return err
	}
	list := make([]providerJSON, 0, len(sources))
	for _, s := range sources {
		list = append(list, providerJSON{s.ID, string(s.Origin), s.Path})
	}
	if c.JSON {
		return a.printer.resultJSON(list)
	}
	return a.printer.result(table(list, func(p providerJSON) []string {
		if p.Origin == string(provider.BuiltIn) {
			return []string{p.ID, p.Origin}
		}
		return []string{p.ID, p.Origin, shown(p.Path, 1000)}
	}))
}

func table[T any](rows []T, cells func(T) []string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(cells(row), "\t"))
	}
	w.Flush()
	return b.String()
}

type providerInspectCmd struct {
	Provider string `arg:"" name:"id|file" help:"The ID of a provider, or a file."`
	JSON     bool   `name:"json" help:"Print the result as JSON."`
	loadFlag
}

func (providerInspectCmd) Help() string {
	return `A module that is built in or trusted is loaded and asked to describe itself; it
can't do anything. Of another one it is shown what its bytes tell, and you are
asked whether to load it; without a terminal it is not loaded but with --load.

Examples:
  stagecraft provider inspect generic
  stagecraft provider inspect --load ./my-provider.wasm --json`
}

type inspectJSON struct {
	// Loaded is false where the module was not asked for what it says of itself:
	// Version, ABI, Capabilities, ConfigSchema, and the ID of a file.
	Loaded       bool              `json:"loaded"`
	ID           string            `json:"id"`
	Version      string            `json:"version"`
	Origin       string            `json:"origin"`
	Path         string            `json:"path"`
	Digest       string            `json:"digest"`
	Size         int               `json:"size"`
	ABI          int               `json:"abi"`
	Operations   []string          `json:"operations"`
	Imports      []string          `json:"imports"`
	Capabilities *abi.Capabilities `json:"capabilities"`
	ConfigSchema json.RawMessage   `json:"config_schema,omitempty"`
	BuildOptions []string          `json:"build_options,omitempty"`
}

// Run is called by kong.
func (c providerInspectCmd) Run(ctx context.Context, a *app) error {
	source, err := findSource(a, c.Provider)
	if err != nil {
		return err
	}
	opts := a.options()
	opts.MayLoad = c.loader(ctx, a)
	found, err := session.Inspect(ctx, source, opts)
	if err == nil {
		err = c.notLoaded(a, found, c.Provider)
	}
	if err != nil {
		return err
	}
	v := inspected(found)
	if c.JSON {
		return a.printer.resultJSON(v)
	}
	return a.printer.result(v.text())
}

func inspected(found session.Inspection) inspectJSON {
	v := inspectJSON{
		Loaded: found.Loaded, ID: found.Source.ID, Origin: string(found.Source.Origin), Path: found.Source.Path,
		Digest: "sha256:" + found.Digest, Size: found.Size, Operations: found.Info.Operations(), Imports: []string{},
	}
	for _, imp := range found.Info.Imports {
		v.Imports = append(v.Imports, imp.String())
	}
	if found.Loaded {
		about := found.About
		v.ID, v.Version, v.ABI, v.Capabilities, v.ConfigSchema = about.ID, about.Version, about.ABI, &about.Capabilities, about.ConfigSchema
		v.BuildOptions = about.BuildOptions
	}
	return v
}

func (v inspectJSON) text() string {
	rows := [][]string{
		{"id", v.ID}, {"version", shown(v.Version, 100)}, {"origin", v.Origin}, {"path", shown(v.Path, 1000)},
		{"digest", v.Digest}, {"size", fmt.Sprintf("%d bytes", v.Size)}, {"abi", fmt.Sprint(v.ABI)},
		{"can call", orNothing(strings.Join(v.Operations, ", "))},
	}
	if !v.Loaded {
		unsaid := []string{"version", "abi"}
		if v.ID == "" {
			unsaid = append(unsaid, "id")
		}
		rows = slices.DeleteFunc(rows, func(row []string) bool { return slices.Contains(unsaid, row[0]) })
		rows = append(rows, []string{"asks for", "not known: the module is not loaded"})
		return table(rows, func(cells []string) []string { return cells })
	}
	for _, ask := range lock.Words(*v.Capabilities) {
		rows = append(rows, []string{"asks for", ask})
	}
	if len(v.BuildOptions) > 0 {
		rows = append(rows, []string{"passes on", shown(strings.Join(v.BuildOptions, ", "), 1000)})
	}
	out := table(rows, func(cells []string) []string { return cells })
	if len(v.ConfigSchema) > 0 {
		out += "config schema\n" + indented(v.ConfigSchema)
	}
	return out
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

func indented(data json.RawMessage) string {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return ""
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return termtext.Mark(termtext.Clean(string(out))) + "\n"
}
