package sarif

import (
	"net/url"
	"path/filepath"
	"strings"
)

// srcRoot stands for the repository's directory, wherever it is; GitHub knows it
// by this name.
const srcRoot = "%SRCROOT%"

func newLocation(root string, r Result) location {
	l := location{physicalLocation{ArtifactLocation: artifactLocation(root, r.File)}}
	if r.Line > 0 {
		l.PhysicalLocation.Region = &region{StartLine: r.Line, StartColumn: max(r.Column, 0)}
	}
	return l
}

// artifactLocation is relative to the root for what is inside of it (3.4.4).
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
