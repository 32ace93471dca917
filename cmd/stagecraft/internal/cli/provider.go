package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/module"
	"github.com/stagecraft-dev/stagecraft/runtime/plaintext"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type providerListCmd struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

func (providerListCmd) Help() string {
	return `Providers are found in stagecraft itself, in .stagecraft/providers beside
stagecraft.yml, and in the user's data folder, in this order.

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
		if p.Origin == string(module.BuiltIn) {
			return []string{p.ID, p.Origin}
		}
		return []string{p.ID, p.Origin, plaintext.Line(p.Path, 1000)}
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
}

func (providerInspectCmd) Help() string {
	return `The module is loaded and asked to describe itself; it can't do anything.

Examples:
  stagecraft provider inspect generic
  stagecraft provider inspect ./my-provider.wasm --json`
}

type inspectJSON struct {
	ID           string           `json:"id"`
	Version      string           `json:"version"`
	Origin       string           `json:"origin"`
	Path         string           `json:"path"`
	Digest       string           `json:"digest"`
	Size         int              `json:"size"`
	ABI          int              `json:"abi"`
	Operations   []string         `json:"operations"`
	Imports      []string         `json:"imports"`
	Capabilities abi.Capabilities `json:"capabilities"`
	ConfigSchema json.RawMessage  `json:"config_schema,omitempty"`
}

// Run is called by kong.
func (c providerInspectCmd) Run(ctx context.Context, a *app) error {
	source, err := findSource(a, c.Provider)
	if err != nil {
		return err
	}
	found, err := session.Inspect(ctx, source, a.options())
	if err != nil {
		return err
	}
	v := inspectJSON{
		ID: found.About.ID, Version: found.About.Version, Origin: string(source.Origin), Path: source.Path,
		Digest: "sha256:" + found.Digest, Size: found.Size, ABI: found.About.ABI,
		Operations: found.Info.Operations(), Imports: []string{},
		Capabilities: found.About.Capabilities, ConfigSchema: found.About.ConfigSchema,
	}
	for _, imp := range found.Info.Imports {
		v.Imports = append(v.Imports, imp.String())
	}
	if c.JSON {
		return a.printer.resultJSON(v)
	}
	return a.printer.result(v.text())
}

func (v inspectJSON) text() string {
	rows := [][]string{
		{"id", v.ID}, {"version", plaintext.Line(v.Version, 100)}, {"origin", v.Origin}, {"path", plaintext.Line(v.Path, 1000)},
		{"digest", v.Digest}, {"size", fmt.Sprintf("%d bytes", v.Size)}, {"abi", fmt.Sprint(v.ABI)},
		{"can call", orNothing(strings.Join(v.Operations, ", "))},
	}
	for _, ask := range lock.Words(v.Capabilities) {
		rows = append(rows, []string{"asks for", ask})
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
	return plaintext.Clean(string(out)) + "\n"
}
