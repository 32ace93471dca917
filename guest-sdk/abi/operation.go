package abi

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Value is a value that a request carries, or a reference to one that the
// host knows. In JSON it is a string, or {"env": "NAME"}.
type Value struct {
	Text string
	// Env is the name of a variable of the host's environment. The host puts
	// its value in; the provider never sees it.
	Env string
}

// Text is a Value that the provider itself knows.
func Text(s string) Value { return Value{Text: s} }

// EnvRef is a Value that the host takes from its environment.
func EnvRef(name string) Value { return Value{Env: name} }

type valueRef struct {
	Env string `json:"env"`
}

// MarshalJSON gives a string, or an object for a reference.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.Env != "" {
		return json.Marshal(valueRef{v.Env})
	}
	return json.Marshal(v.Text)
}

// UnmarshalJSON takes what MarshalJSON gives and nothing else.
func (v *Value) UnmarshalJSON(data []byte) error {
	*v = Value{}
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &v.Text)
	}
	var ref valueRef
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&ref); err != nil || ref.Env == "" {
		return errors.New(`a value is a string or {"env": "NAME"}`)
	}
	v.Env = ref.Env
	return nil
}

// ExecRequest asks the host to run a program and wait for its end.
type ExecRequest struct {
	// Argv is the program and its arguments; no shell reads them.
	Argv []string `json:"argv"`
	// Dir is the folder to run in, relative to the project folder; empty is
	// the project folder itself.
	Dir string `json:"dir,omitempty"`
	// Env is put over the environment that the host gives to a child.
	Env map[string]Value `json:"env,omitempty"`
	// Stdin is the whole standard input. Without it a child whose output is
	// streamed has the user's own, and one that is captured has none.
	Stdin *Value `json:"stdin,omitempty"`
	// Capture gives the output to the provider in place of the user.
	Capture bool `json:"capture,omitempty"`
	// CaptureLimit bounds each captured stream, in bytes, up to and by default
	// MaxCapture; what comes after is dropped and Truncated set.
	CaptureLimit int `json:"capture_limit,omitempty"`
	// TimeoutMS bounds the run, in milliseconds; 0 is no bound.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
}

// MaxCapture bounds each captured stream, in bytes.
const MaxCapture = 1 << 20

// ExecResult is how a program ended.
type ExecResult struct {
	// ExitCode is the program's own, or 128 and the number of the signal that
	// ended it.
	ExitCode int    `json:"exit_code"`
	Signal   string `json:"signal,omitempty"`
	// Interrupted says that the user or the system asked the run to end.
	Interrupted bool `json:"interrupted,omitempty"`
	// Stdout and Stderr are what was captured; bytes that are no UTF-8 are
	// replaced.
	Stdout    string `json:"stdout,omitempty"`
	Stderr    string `json:"stderr,omitempty"`
	Truncated bool   `json:"truncated,omitempty"`
}

// DockerBuildRequest asks the host to build an image.
type DockerBuildRequest struct {
	// Context is the folder that is sent, relative to the project folder.
	Context string `json:"context"`
	// Dockerfile is relative to the project folder; empty is the file
	// Dockerfile in Context.
	Dockerfile string            `json:"dockerfile,omitempty"`
	Tags       []string          `json:"tags"`
	Args       map[string]string `json:"args,omitempty"`
	Target     string            `json:"target,omitempty"`
	// Network is what build steps may reach: none, default or host. Empty is
	// default.
	Network string `json:"network,omitempty"`
	// Push sends the image to the registry of each tag after the build.
	Push bool `json:"push,omitempty"`
}

// DockerBuildResult is the image that was built.
type DockerBuildResult struct {
	// Image is the first of the request's tags.
	Image string `json:"image"`
	// ID is the image's ID in the engine, with its algorithm.
	ID string `json:"id"`
	// Digest is the manifest's in the registry, where the image was pushed.
	Digest string `json:"digest,omitempty"`
}

// PathRequest names a file or folder, for read_file, stat and list. A
// relative path starts at the project folder.
type PathRequest struct {
	Path string `json:"path"`
}

// MaxFile bounds what read_file returns, in bytes.
const MaxFile = 4 << 20

// ReadFileResult is a file's content.
type ReadFileResult struct {
	Data []byte `json:"data"`
}

// FileInfo is what stat and list say of a file or folder.
type FileInfo struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	Dir  bool   `json:"dir,omitempty"`
}

// MaxEntries bounds what list returns.
const MaxEntries = 10_000

// ListResult is the content of a folder, sorted by name.
type ListResult struct {
	Entries []FileInfo `json:"entries"`
}

// EnvStatusRequest asks about variables of the host's environment.
type EnvStatusRequest struct {
	Names []string `json:"names"`
}

// EnvState says whether a variable is there; the value is never told.
type EnvState string

// The states of a variable.
const (
	EnvSet     EnvState = "set"
	EnvEmpty   EnvState = "empty"
	EnvMissing EnvState = "missing"
)

// EnvStatusResult has a state for each name that was asked for.
type EnvStatusResult struct {
	States map[string]EnvState `json:"states"`
}

// Level is the weight of a log message.
type Level string

// The levels of log; debug is shown on request only.
const (
	LevelDebug Level = "debug"
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
)

// LogRequest shows a message to the user.
type LogRequest struct {
	Level   Level  `json:"level"`
	Message string `json:"message"`
}

// Empty is the result of an operation that has nothing to say.
type Empty struct{}
