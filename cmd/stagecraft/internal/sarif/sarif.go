// Package sarif writes denials as a SARIF log for GitHub's code scanning and editors.
//
// The format is SARIF 2.1.0 with errata 01,
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html;
// section numbers in this package refer to it. GitHub shows only results with a
// location.
package sarif

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Report has the results of one run.
type Report struct {
	ToolVersion string
	InfoURI     string // absolute, with information about the tool; may be empty
	// Root is the directory of the repository, absolute; files are relative to it.
	Root    string
	Results []Result
}

// Result is one finding. Its text may be untrusted.
type Result struct {
	RuleID  string // the kind, such as denied/exec
	Message string
	Hint    string // what to do about it; may be empty
	// File is absolute, relative to the report's Root, or empty.
	File         string
	Line, Column int // from 1, 0 for none; columns count characters
}

// Write writes a log of one run. It is deterministic.
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
	prints := make(fingerprints)
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
	full := strings.Trim(text(r.Message)+"\n"+text(r.Hint), "\n")
	out := result{RuleID: clean(r.RuleID), RuleIndex: index, Level: "error", Message: message{cmp.Or(full, "no message")}}
	uri := ""
	if r.File != "" {
		l := newLocation(root, r)
		uri = l.PhysicalLocation.ArtifactLocation.URI
		out.Locations = []location{l}
	}
	out.PartialFingerprints = prints.of(out.RuleID, uri, clean(r.Message))
	return out
}

// clean is a short text on one line.
func clean(s string) string { return termtext.Line(s, 200) }

// text escapes text for a message (3.11.5, 3.11.6): braces are doubled, and "](" would
// make a link.
func text(s string) string {
	return strings.NewReplacer("{", "{{", "}", "}}", "](", "] (").Replace(strings.TrimSpace(termtext.Clean(s)))
}

// srcRoot is GitHub's name for the repository's directory.
const srcRoot = "%SRCROOT%"

func newLocation(root string, r Result) location {
	l := location{physicalLocation{ArtifactLocation: artifactLocation(root, r.File)}}
	if r.Line > 0 {
		l.PhysicalLocation.Region = &region{StartLine: r.Line, StartColumn: max(r.Column, 0)}
	}
	return l
}

// artifactLocation is relative to the root for files inside it (3.4.4).
func artifactLocation(root, file string) artifact {
	if !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	if rel, err := filepath.Rel(root, file); err == nil && filepath.IsLocal(rel) {
		return artifact{URI: (&url.URL{Path: filepath.ToSlash(rel)}).String(), URIBaseID: srcRoot}
	}
	path := filepath.ToSlash(file)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive of Windows: file:///C:/
	}
	return artifact{URI: (&url.URL{Scheme: "file", Path: path}).String()}
}

// fingerprintName has the version of a fingerprint's content (3.27.17).
const fingerprintName = "stagecraftDenial/v1"

// fingerprints counts equal results, so that each has its own fingerprint.
type fingerprints map[string]int

// of identifies a result across runs. Line numbers are not part of it, because lines
// move.
func (f fingerprints) of(rule, uri, message string) map[string]string {
	sum := sha256.Sum256([]byte(strconv.Quote(rule) + strconv.Quote(uri) + strconv.Quote(message)))
	print := hex.EncodeToString(sum[:16])
	f[print]++
	return map[string]string{fingerprintName: print + ":" + strconv.Itoa(f[print])}
}
