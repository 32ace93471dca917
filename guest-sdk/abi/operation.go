package abi

import "errors"

// Value is a text, or a reference to a variable that the host resolves. In JSON it is a
// string, {"env": "NAME"}, or {"env": "NAME", "files": [".env.local"]}.
type Value struct {
	Text string
	// Env is the name of a variable. The host inserts its value. The provider never
	// sees it, and output shows *** instead.
	Env string
	// Files are dotenv files, relative to the project directory, that may define Env.
	// The last definition counts; without one, the host's environment.
	Files []string
}

// Text returns a Value with a text.
func Text(s string) Value { return Value{Text: s} }

// EnvRef returns a reference to a variable of dotenv files, or of the host's
// environment.
func EnvRef(name string, files ...string) Value { return Value{Env: name, Files: files} }

// reference is a Value with Env.
type reference Value

func (r *reference) Fields() []Field {
	return []Field{{"env", &r.Env}, {"files,omitempty", &r.Files}}
}

// GetJSON returns a string, or an object for a reference.
func (v Value) GetJSON() ([]byte, error) {
	if v.Env != "" {
		return Encode((*reference)(&v))
	}
	return appendString(nil, v.Text), nil
}

// SetJSON accepts only what GetJSON returns.
func (v *Value) SetJSON(data []byte) error {
	*v = Value{}
	n, err := parse(data)
	if err == nil && n.kind == '"' {
		v.Text = n.text
		return nil
	}
	d := decoder{strict: true}
	d.value("", &n, (*reference)(v))
	if err != nil || len(d.problems) > 0 || v.Env == "" {
		return errors.New(`expected a string or {"env": "NAME"}, with "files" or without`)
	}
	return nil
}

// MarshalJSON is GetJSON for encoding/json.
func (v Value) MarshalJSON() ([]byte, error) { return v.GetJSON() }

// UnmarshalJSON is SetJSON for encoding/json.
func (v *Value) UnmarshalJSON(data []byte) error { return v.SetJSON(data) }

// ExecRequest asks the host to run a program and wait for its end.
type ExecRequest struct {
	// Argv is the program and its arguments; no shell reads them.
	Argv []string `json:"argv"`
	// Dir is the directory to run in, relative to the project directory; empty is
	// the project directory itself.
	Dir string `json:"dir,omitempty"`
	// EnvBase, EnvFiles and Env are added to the environment that the host gives to a
	// child. Later ones win, in this order. EnvFiles are dotenv files, relative to the
	// project directory, of which later ones win; the provider never sees their content.
	EnvBase  map[string]Value `json:"env_base,omitempty"`
	EnvFiles []string         `json:"env_files,omitempty"`
	Env      map[string]Value `json:"env,omitempty"`
	// Stdin is the whole standard input. Without it, a child has the user's input, or an
	// empty one with Capture.
	Stdin *Value `json:"stdin,omitempty"`
	// Capture returns the output to the provider instead of showing it.
	Capture bool `json:"capture,omitempty"`
	// CaptureLimit bounds each captured stream, in bytes; the default and the most is
	// MaxCapture. The rest is dropped, and Truncated is set.
	CaptureLimit int `json:"capture_limit,omitempty"`
	// TimeoutMS bounds the run, in milliseconds; 0 means no bound.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
	// Once names what the command sets somewhere else, such as a secret of an app. If
	// the last command with this name, by this user on this machine, had the same Argv
	// and Stdin and ended with exit code 0, the program does not run, and the result has
	// Unchanged. Stdin must be a reference.
	Once string `json:"once,omitempty"`
	// Interactive leaves Ctrl-C to the program, and requires the user's terminal. A
	// second Ctrl-C within a second ends the run. It excludes Stdin and Capture.
	Interactive bool `json:"interactive,omitempty"`
}

// MaxOnce bounds Once, in bytes.
const MaxOnce = 4096

// MaxCapture bounds each captured stream, in bytes.
const MaxCapture = 1 << 20

// ExecResult is how a program ended.
type ExecResult struct {
	// ExitCode is the program's, or 128 plus the number of the signal that ended it.
	ExitCode int    `json:"exit_code"`
	Signal   string `json:"signal,omitempty"`
	// Interrupted means that the user or the system asked the run to end.
	Interrupted bool `json:"interrupted,omitempty"`
	// Stdout and Stderr are the captured output. Invalid UTF-8 is replaced.
	Stdout    string `json:"stdout,omitempty"`
	Stderr    string `json:"stderr,omitempty"`
	Truncated bool   `json:"truncated,omitempty"`
	// Unchanged means that the program did not run because of Once.
	Unchanged bool `json:"unchanged,omitempty"`
}

// DockerBuildRequest asks the host to build an image.
type DockerBuildRequest struct {
	// Context is the directory that is sent, relative to the project directory.
	Context string `json:"context"`
	// Dockerfile is relative to the project directory; empty is the file
	// Dockerfile in Context.
	Dockerfile string            `json:"dockerfile,omitempty"`
	Tags       []string          `json:"tags"`
	Args       map[string]string `json:"args,omitempty"`
	Target     string            `json:"target,omitempty"`
	// Network is what build steps may reach: none, default or host. Empty means default.
	Network string `json:"network,omitempty"`
	// Push sends the image to the registry of each tag after the build.
	Push bool `json:"push,omitempty"`
	// Labels are put on the image.
	Labels map[string]string `json:"labels,omitempty"`
	// Platforms are the image's platforms, such as linux/arm64; empty means the engine's.
	Platforms []string `json:"platforms,omitempty"`
	// Secrets are the secrets that steps may mount, by ID. Values must be references: a
	// text that the provider knows is not a secret.
	Secrets map[string]Value `json:"secrets,omitempty"`
	// CacheFrom and CacheTo are caches to read and write: references in a registry, or
	// type=registry,ref=REFERENCE as in other clients, for CacheTo optionally with
	// mode=max.
	CacheFrom []string `json:"cache_from,omitempty"`
	CacheTo   []string `json:"cache_to,omitempty"`
}

// DockerBuildResult is the image that was built.
type DockerBuildResult struct {
	// Image is the first of the request's tags.
	Image string `json:"image"`
	// ID is the digest by which an engine runs the image, with the algorithm: its
	// manifest's or index's in an engine with the containerd image store, otherwise its
	// configuration's. An image for several platforms has its index's.
	ID string `json:"id"`
	// Digest is the one for deployments, of the manifest or, for several platforms, the
	// index: in the registry if the image was pushed, otherwise in a layout or an
	// engine. It may be empty.
	Digest string `json:"digest,omitempty"`
	// OtherDigests are those of further manifests: an engine without the containerd
	// image store pushes another manifest than a layout gets.
	OtherDigests []string `json:"other_digests,omitempty"`
	// Config is the digest of the configuration, empty for several platforms.
	Config string `json:"config,omitempty"`
	// Bases are the digests of the base images that the builder reported, by their full
	// references.
	Bases map[string]string `json:"bases,omitempty"`
}

// DockerImageRequest asks for an image that the engine has.
type DockerImageRequest struct {
	Image string `json:"image"`
}

// DockerImageResult is an image in the engine. A missing image is an error with
// [CodeNotFound].
type DockerImageResult struct {
	Image string `json:"image"`
	// ID is the digest by which the engine runs the image, with the algorithm.
	ID string `json:"id"`
	// Digest is that of the manifest or index if the engine reports one, otherwise
	// Config is that of the configuration.
	Digest string `json:"digest,omitempty"`
	Config string `json:"config,omitempty"`
}

// PathRequest names a file or directory, for read_file and list. A relative path
// starts at the project directory.
type PathRequest struct {
	Path string `json:"path"`
}

// StatRequest names a file or directory, as in [PathRequest].
type StatRequest struct {
	Path string `json:"path"`
	// Above asks instead whether the nearest .git above the project directory, up to
	// the root, is a file, as in a worktree or a submodule. Path must be .git: nothing
	// else there is reported. The answer is a [FileInfo] with only the name, or an error
	// with [CodeNotFound].
	Above bool `json:"above,omitempty"`
}

// MaxFile bounds what read_file returns, in bytes.
const MaxFile = 4 << 20

// ReadFileResult is a file's content.
type ReadFileResult struct {
	Data []byte `json:"data"`
}

// FileInfo describes a file or directory.
type FileInfo struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	Dir  bool   `json:"dir,omitempty"`
}

// MaxEntries bounds what list returns.
const MaxEntries = 10_000

// ListResult is the content of a directory, sorted by name.
type ListResult struct {
	Entries []FileInfo `json:"entries"`
}

// EnvStatusRequest asks about variables, looked up as a [Value] with the same files.
type EnvStatusRequest struct {
	Names []string `json:"names"`
	Files []string `json:"files,omitempty"`
}

// EnvState says whether a variable is set, without its value.
type EnvState string

// The states of a variable.
const (
	EnvSet     EnvState = "set"
	EnvEmpty   EnvState = "empty" // or only line breaks
	EnvMissing EnvState = "missing"
)

// EnvStatusResult has the state of each variable.
type EnvStatusResult struct {
	States map[string]EnvState `json:"states"`
}

// Level is the level of a log message.
type Level string

// The levels. Debug messages are shown only with -v.
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

// Empty is the result of an operation without one.
type Empty struct{}
