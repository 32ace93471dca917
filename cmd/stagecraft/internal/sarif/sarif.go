// Package sarif writes what was denied as a SARIF log, which GitHub's code
// scanning and editors read.
//
// The format is SARIF 2.1.0 with errata 01,
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html;
// section numbers in this package are that document's. GitHub shows only
// results that have a location.
package sarif

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Report is one run and what is to be said of it.
type Report struct {
	ToolVersion string
	InfoURI     string // where to read about the tool, absolute; may be empty
	// Root is the directory that files are told from, absolute: the repository's.
	Root    string
	Results []Result
}

// Result is one thing that is wrong. Text may come from anywhere.
type Result struct {
	RuleID  string // the kind, such as denied/exec
	Message string
	Hint    string // what to do about it; may be empty
	// File is absolute or from the report's Root, or empty.
	File         string
	Line, Column int // from 1, 0 for none; columns count characters
}

// Write writes a log of one run. The same report gives the same bytes.
//
// # Errors
//
// Those of w.
func Write(w io.Writer, r Report) error {
	rules := ruleIDs(r.Results)
	t := tool{Driver: driver{Name: "stagecraft", Version: clean(r.ToolVersion), InformationURI: r.InfoURI, Rules: []rule{}}}
	for _, id := range rules {
		t.Driver.Rules = append(t.Driver.Rules, newRule(id))
	}
	results := []result{}
	prints := newFingerprints()
	for _, res := range r.Results {
		index, _ := slices.BinarySearch(rules, clean(res.RuleID))
		results = append(results, newResult(r.Root, res, index, prints))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(log{
		Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0",
		Runs: []run{{Tool: t, Results: results, ColumnKind: "unicodeCodePoints"}},
	})
}

func ruleIDs(results []Result) []string {
	var ids []string
	for _, r := range results {
		ids = append(ids, clean(r.RuleID))
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func newRule(id string) rule {
	kind, what, _ := strings.Cut(id, "/")
	return rule{ID: id, ShortDescription: message{text(strings.TrimSpace(kind + " " + what))}, DefaultConfiguration: configuration{"error"}}
}

func newResult(root string, r Result, index int, prints fingerprints) result {
	said := text(r.Message)
	if hint := text(r.Hint); hint != "" {
		said = strings.TrimLeft(said+"\n"+hint, "\n")
	}
	out := result{RuleID: clean(r.RuleID), RuleIndex: index, Level: "error", Message: message{cmp.Or(said, "no message")}}
	uri := ""
	if r.File != "" {
		l := newLocation(root, r)
		uri = l.PhysicalLocation.ArtifactLocation.URI
		out.Locations = []location{l}
	}
	out.PartialFingerprints = prints.of(out.RuleID, uri, clean(r.Message))
	return out
}

// clean is an identifier or the like on one line.
func clean(s string) string { return termtext.Line(s, 200) }

// text is text in a message (3.11.5, 3.11.6): a brace stands there twice, and
// "](" would make a link.
func text(s string) string {
	return strings.NewReplacer("{", "{{", "}", "}}", "](", "] (").Replace(strings.TrimSpace(termtext.Clean(s)))
}
