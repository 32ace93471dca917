package cli

import (
	"cmp"
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
	return `Providers are built in, in .stagecraft/providers beside stagecraft.yml, or in the
user's data directory; the first with an ID is used.

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
	var rows [][]string
	for _, s := range sources {
		list = append(list, providerJSON{s.ID, string(s.Origin), s.Path})
		row := []string{s.ID, string(s.Origin)}
		if s.Origin != provider.BuiltIn {
			row = append(row, safeLine(s.Path, 1000))
		}
		rows = append(rows, row)
	}
	return a.printer.resultAs(c.JSON, list, table(rows))
}

// table aligns the cells of rows.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, cells := range rows {
		fmt.Fprintln(w, strings.Join(cells, "\t"))
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
	return `A built-in or trusted module is loaded and describes itself, without any rights. For
another module, its file is inspected and you are asked whether to load it; without
a terminal it is loaded only with --load.

Examples:
  stagecraft provider inspect generic
  stagecraft provider inspect --load ./my-provider.wasm --json`
}

type inspectJSON struct {
	// Loaded is false if the module did not describe itself. Version, ABI,
	// Capabilities and ConfigSchema are unknown then, as is the ID of a file.
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
	return a.printer.resultAs(c.JSON, v, v.text())
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
		v.ID, v.Version, v.ABI, v.Capabilities, v.ConfigSchema = about.ID, about.Version, about.ABI, &about.Capabilities, json.RawMessage(about.ConfigSchema)
		v.BuildOptions = about.BuildOptions
	}
	return v
}

func (v inspectJSON) text() string {
	rows := [][]string{
		{"id", v.ID}, {"version", safeLine(v.Version, 100)}, {"origin", v.Origin}, {"path", safeLine(v.Path, 1000)},
		{"digest", v.Digest}, {"size", fmt.Sprintf("%d bytes", v.Size)}, {"abi", fmt.Sprint(v.ABI)},
		{"can call", orNothing(strings.Join(v.Operations, ", "))},
	}
	if !v.Loaded {
		rows = slices.DeleteFunc(rows, func(row []string) bool {
			return row[0] == "version" || row[0] == "abi" || row[0] == "id" && v.ID == ""
		})
		return table(append(rows, []string{"asks for", "unknown: the module is not loaded"}))
	}
	for _, ask := range lock.Words(*v.Capabilities) {
		rows = append(rows, []string{"asks for", ask})
	}
	if len(v.BuildOptions) > 0 {
		rows = append(rows, []string{"passes on", safeLine(strings.Join(v.BuildOptions, ", "), 1000)})
	}
	out := table(rows)
	if len(v.ConfigSchema) > 0 {
		out += "config schema\n" + indentedJSON(v.ConfigSchema)
	}
	return out
}

// indentedJSON decodes text first, so that escapes hide nothing.
func indentedJSON(data json.RawMessage) string {
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

func orNothing(s string) string { return cmp.Or(s, "nothing") }
