// Package lock parses and writes the contents of stagecraft.lock: the provider
// modules that somebody trusts, by digest, and what each was granted.
package lock

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// FileName is the name of the file, beside stagecraft.yml.
const FileName = "stagecraft.lock"

// Version is the file format's version.
const Version = 1

// Entry is a trusted module.
type Entry struct {
	ID string `json:"-"`
	// Version is what the provider says of itself.
	Version string `json:"version"`
	// SHA256 is the module's, in hex.
	SHA256 string `json:"sha256"`
	ABI    int    `json:"abi"`
	// Source says where it was found: project, user or file. Path is relative
	// to the project where it is inside, and the file's name elsewhere.
	Source string `json:"source"`
	Path   string `json:"path"`
	// Imports are all that the module could call, as "module.name", sorted.
	Imports []string `json:"imports"`
	// Asked is what the provider asks for, Granted the part of it that it got.
	Asked   abi.Capabilities `json:"asked"`
	Granted abi.Capabilities `json:"granted"`
}

// File is the contents of a lock file. The zero value is an empty file.
type File struct {
	entries map[string]Entry
	at      map[string]yamldoc.Pos
}

// Pos is where the entry of a provider was read.
func (f *File) Pos(id string) yamldoc.Pos { return f.at[id] }

// Trusts reports whether the file has a module with this SHA-256, in hex, under
// any ID.
func (f *File) Trusts(sha256 string) bool {
	for _, e := range f.entries {
		if e.SHA256 == sha256 {
			return true
		}
	}
	return false
}

// Get is the entry of a provider.
func (f *File) Get(id string) (Entry, bool) {
	e, ok := f.entries[id]
	return e, ok
}

// Set adds an entry, or replaces the one with the same ID.
func (f *File) Set(e Entry) {
	if f.entries == nil {
		f.entries = make(map[string]Entry)
	}
	e.Imports = slices.Compact(slices.Sorted(slices.Values(e.Imports)))
	f.entries[e.ID] = e
}

// Remove removes an entry and reports whether there was one.
func (f *File) Remove(id string) bool {
	_, ok := f.entries[id]
	delete(f.entries, id)
	return ok
}

// IDs lists the IDs of all entries, sorted.
func (f *File) IDs() []string { return slices.Sorted(maps.Keys(f.entries)) }

const header = `# The providers that this project trusts, by their bytes. Commit this file.
# "stagecraft provider trust ID" writes it; lines of granted may be taken out.
`

// document is the file as JSON. Go sorts the providers by their IDs.
type document struct {
	Version   int              `json:"version"`
	Providers map[string]Entry `json:"providers"`
}

// Marshal writes the file. The same entries give the same bytes.
func (f *File) Marshal() []byte {
	d := document{Version: Version, Providers: map[string]Entry{}}
	for id, e := range f.entries {
		if e.Imports == nil {
			e.Imports = []string{}
		}
		d.Providers[id] = e
	}
	// It has texts and numbers only, so this cannot fail.
	data, err := json.Marshal(d)
	if err == nil {
		data, err = yamldoc.FromJSON(data)
	}
	if err != nil {
		return nil
	}
	return append([]byte(header), data...)
}
