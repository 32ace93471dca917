package build

import "github.com/stagecraft-dev/stagecraft/hostfuncs/values"

// Step is an image that would be built. Paths are relative to the project
// directory.
type Step struct {
	Context    string           `json:"context"`
	Dockerfile string           `json:"dockerfile"`
	Tags       []string         `json:"tags"`
	Args       []values.Planned `json:"args,omitempty"`
	Target     string           `json:"target,omitempty"`
	Network    string           `json:"network,omitempty"`
	Push       bool             `json:"push,omitempty"`
	// Labels and Secrets are sorted by their names.
	Labels    []values.Planned `json:"labels,omitempty"`
	Platforms []string         `json:"platforms,omitempty"`
	Secrets   []values.Planned `json:"secrets,omitempty"`
	CacheFrom []string         `json:"cache_from,omitempty"`
	CacheTo   []string         `json:"cache_to,omitempty"`
	// Bases, Syntax and Remotes are named in the Dockerfile. Engine is empty if it
	// listens on a socket of this machine.
	Bases   []string `json:"bases,omitempty"`
	Layouts []string `json:"layouts,omitempty"`
	Syntax  string   `json:"syntax,omitempty"`
	Remotes []string `json:"remotes,omitempty"`
	Engine  string   `json:"engine,omitempty"`
	Outputs []string `json:"outputs,omitempty"`
	Load    bool     `json:"load,omitempty"`
	// Files and Bytes are those of the context as it would be sent, and SHA256
	// is over their names, modes and contents, in hex.
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256,omitempty"`
}

// Kind implements [hostfuncs.Detail].
func (*Step) Kind() string { return "build" }

// ImageStep is an image that would be looked for.
type ImageStep struct {
	Image string `json:"image"`
}

// Kind implements [hostfuncs.Detail].
func (*ImageStep) Kind() string { return "image" }
