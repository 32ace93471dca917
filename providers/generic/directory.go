package main

import (
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// The bounds of a search.
const (
	maxDepth       = 3
	maxDirectories = 150
	maxReads       = 400
	maxText        = 256 << 10 // bytes of a file that are searched
)

// skipped are directories without projects of their own.
var skipped = []string{
	"node_modules", "vendor", "target", "dist", "build", "out", "bin", "obj", "venv", "env", "site-packages", "testdata", "fixtures", "test", "tests", "spec", "e2e",
	"__tests__", "__pycache__", "coverage", "docs", "doc", "deps", "_build", "public", "static", "tmp", "log", "logs", "storage", "migrations", "scripts", "script", "config",
}

// directory is one directory of the project.
type directory struct {
	search *search
	path   string // "." is the project
	above  *directory
	files  []string
	below  []string // directories
}

// search reads a project within bounds.
type search struct {
	ctx         backend.Context
	directories []*directory // the nearest first
	reads       int
	texts       map[string]string
	looked      map[string]*directory // by at, nil for none
}

// look lists the directories of a project.
func look(ctx backend.Context) *search {
	s := &search{ctx: ctx, texts: make(map[string]string), looked: make(map[string]*directory)}
	s.add(".", nil)
	for i := 0; i < len(s.directories); i++ {
		d := s.directories[i]
		if d.depth() == maxDepth {
			continue
		}
		for _, name := range byPreference(d.below) {
			if !strings.HasPrefix(name, ".") && !slices.Contains(skipped, name) {
				s.add(path.Join(d.path, name), d)
			}
		}
	}
	return s
}

// add lists a directory, unless there are too many.
func (s *search) add(name string, above *directory) {
	if len(s.directories) == maxDirectories {
		return
	}
	if d := s.list(name); d != nil {
		d.above = above
		s.directories = append(s.directories, d)
	}
}

// list returns a directory, nil if it cannot be listed.
func (s *search) list(name string) *directory {
	entries, err := backend.List(s.ctx, name)
	if err != nil {
		return nil
	}
	d := &directory{search: s, path: name}
	for _, e := range entries {
		if e.Dir {
			d.below = append(d.below, e.Name)
		} else {
			d.files = append(d.files, e.Name)
		}
	}
	return d
}

// Directories with these names are looked at first, or last.
var (
	backends  = []string{"backend", "server", "api", "services", "service", "app", "apps", "cmd", "src"}
	frontends = []string{"client", "frontend", "web", "ui", "website", "packages", "libs", "lib", "examples", "example", "samples", "demo", "tools"}
)

func byPreference(names []string) []string {
	var first, middle, last []string
	for _, name := range names {
		switch {
		case slices.Contains(backends, name):
			first = append(first, name)
		case slices.Contains(frontends, name):
			last = append(last, name)
		default:
			middle = append(middle, name)
		}
	}
	return append(append(first, middle...), last...)
}

func (d *directory) depth() int {
	if d.path == "." {
		return 0
	}
	return 1 + strings.Count(d.path, "/")
}

// named is the name of a file as the user knows it.
func (d *directory) named(name string) string { return path.Join(d.path, name) }

// has reports whether there is a file, which may be in a directory below.
func (d *directory) has(name string) bool {
	dir, file := path.Split(name)
	if dir == "" {
		return slices.Contains(d.files, name)
	}
	at := d.at(strings.TrimSuffix(dir, "/"))
	return at != nil && at.has(file)
}

// at returns a directory below, nil if there is none. It may be one without projects.
func (d *directory) at(name string) *directory {
	full := path.Join(d.path, name)
	for _, other := range d.search.directories {
		if other.path == full {
			return other
		}
	}
	at, ok := d.search.looked[full]
	if first, _, _ := strings.Cut(name, "/"); !ok && slices.Contains(d.below, first) {
		at = d.search.list(full)
		d.search.looked[full] = at
	}
	return at
}

// first returns the first file that exists, or "".
func (d *directory) first(names ...string) string {
	for _, name := range names {
		if d.has(name) {
			return name
		}
	}
	return ""
}

// ending lists the files with an ending.
func (d *directory) ending(suffix string) []string {
	var names []string
	for _, name := range d.files {
		if strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	return names
}

// text returns the beginning of a file, "" if there is none or too many were read.
func (d *directory) text(name string) string {
	full := d.named(name)
	if text, ok := d.search.texts[full]; ok {
		return text
	}
	if !d.has(name) || d.search.reads == maxReads {
		return ""
	}
	d.search.reads++
	data, err := backend.ReadFile(d.search.ctx, full)
	text := ""
	if err == nil {
		text = string(data[:min(len(data), maxText)])
	}
	d.search.texts[full] = text
	return text
}

// up returns the nearest directory, at or above, with one of the files, and the file.
func (d *directory) up(names ...string) (*directory, string) {
	for at := d; at != nil; at = at.above {
		if name := at.first(names...); name != "" {
			return at, name
		}
	}
	return nil, ""
}
