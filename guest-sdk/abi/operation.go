package abi

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Value is a value that a request carries, or a reference to one that the
// host knows. In JSON it is a string, {"env": "NAME"}, or
// {"env": "NAME", "files": [".env.local"]}.
type Value struct {
	Text string
	// Env is the name of a variable. The host puts its value in; the provider
	// never sees it, and whoever sees output sees *** in its place.
	Env string
	// Files are dotenv files, relative to the project directory, in which Env is
	// looked for: the last one that has it counts, and the host's environment
	// where none has.
	Files []string
}

// Text is a Value that the provider itself knows.
func Text(s string) Value { return Value{Text: s} }

// EnvRef is a Value that the host takes from dotenv files, or else from its
// environment.
func EnvRef(name string, files ...string) Value { return Value{Env: name, Files: files} }

type valueRef struct {
	Env   string   `json:"env"`
	Files []string `json:"files,omitempty"`
}

// MarshalJSON gives a string, or an object for a reference.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.Env != "" {
		return json.Marshal(valueRef{v.Env, v.Files})
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
		return errors.New(`a value is a string or {"env": "NAME"}, with "files" or without`)
	}
	v.Env, v.Files = ref.Env, ref.Files
	return nil
}

// ExecRequest asks the host to run a program and wait for its end.
type ExecRequest struct {
	// Argv is the program and its arguments; no shell reads them.
	Argv []string `json:"argv"`
	// Dir is the directory to run in, relative to the project directory; empty is
	// the project directory itself.
	Dir string `json:"dir,omitempty"`
	// EnvBase, EnvFiles and Env are put over the environment that the host
	// gives to a child, in this order: what comes later wins. EnvFiles are
	// dotenv files, relative to the project directory, of which a later one wins;
	// the provider never learns what is in them.
	EnvBase  map[string]Value `json:"env_base,omitempty"`
	EnvFiles []string         `json:"env_files,omitempty"`
	Env      map[string]Value `json:"env,omitempty"`
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
	// Once names what the command puts somewhere else, such as a secret of an
	// app. The program does not run if the last one with this name, by this user
	// on this machine, ended with exit code 0, and had the same Argv and the same
	// Stdin; the result has Unchanged then. Stdin has to be a reference.
	Once string `json:"once,omitempty"`
	// Interactive leaves Ctrl-C to the program, which needs the user's terminal: a
	// second one within a second ends the run. It excludes Stdin and Capture.
	Interactive bool `json:"interactive,omitempty"`
}

// MaxOnce bounds what Once has, in bytes.
const MaxOnce = 4096

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
	// Unchanged says that the program did not run, because of Once.
	Unchanged bool `json:"unchanged,omitempty"`
}

// MaxProcesses bounds how many started programs run at once, MaxWatches what is
// watched for in one's output.
const (
	MaxProcesses = 16
	MaxWatches   = 16
)

// ProcessStartRequest asks the host to start a program, and not to wait for
// its end. What it prints reaches the user line by line. It has no standard
// input but Stdin, and is ended when the run is over.
type ProcessStartRequest struct {
	// Argv, Dir, EnvBase, EnvFiles, Env and Stdin are as in [ExecRequest].
	Argv     []string         `json:"argv"`
	Dir      string           `json:"dir,omitempty"`
	EnvBase  map[string]Value `json:"env_base,omitempty"`
	EnvFiles []string         `json:"env_files,omitempty"`
	Env      map[string]Value `json:"env,omitempty"`
	Stdin    *Value           `json:"stdin,omitempty"`
	// Name stands before each line of its output while more than one program
	// runs; without it the program's own.
	Name string `json:"name,omitempty"`
	// Watch are texts to look for in its output: process_wait tells of the
	// first line with one of them, with control sequences taken out.
	Watch []string `json:"watch,omitempty"`
}

// ProcessStartResult names the program that was started.
type ProcessStartResult struct {
	ID int `json:"id"`
}

// ProcessWaitRequest waits until something happens to one of the programs.
type ProcessWaitRequest struct {
	// IDs are the programs; empty is all that were started and not yet waited
	// for to their end.
	IDs []int `json:"ids,omitempty"`
	// TimeoutMS bounds the wait, in milliseconds; 0 is no bound.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
}

// ProcessWaitResult is the first thing that happened; one field is set.
type ProcessWaitResult struct {
	Exited *ProcessExit `json:"exited,omitempty"`
	Seen   *ProcessLine `json:"seen,omitempty"`
	// Interrupted says that the user or the system asked the run to end. It is
	// told once. The programs were told as well; what does not end within the
	// grace period is killed, and the provider is stopped soon after.
	Interrupted bool `json:"interrupted,omitempty"`
	TimedOut    bool `json:"timed_out,omitempty"`
}

// ProcessExit is how a started program ended; its ID is of no use any more.
type ProcessExit struct {
	ID int `json:"id"`
	// ExitCode, Signal and Interrupted are as in [ExecResult].
	ExitCode    int    `json:"exit_code"`
	Signal      string `json:"signal,omitempty"`
	Interrupted bool   `json:"interrupted,omitempty"`
	// Tail is the end of its output, at most MaxTail bytes.
	Tail string `json:"tail,omitempty"`
}

// MaxTail bounds the end of a started program's output that is kept, in bytes.
const MaxTail = 4 << 10

// ProcessLine is a line that was watched for.
type ProcessLine struct {
	ID   int    `json:"id"`
	Line string `json:"line"`
}

// ProcessStopRequest asks to end a started program and all that it started.
type ProcessStopRequest struct {
	ID int `json:"id"`
	// Signal is SIGTERM where it is empty, or else SIGINT or SIGHUP.
	Signal string `json:"signal,omitempty"`
	// GraceMS is the time before it is killed, in milliseconds; at most, and
	// where it is 0, that of an interrupt.
	GraceMS int64 `json:"grace_ms,omitempty"`
}

// ProbeRequest asks whether something answers on this machine's loopback.
type ProbeRequest struct {
	// Address is host:port; the host is localhost or a loopback address.
	Address string `json:"address"`
	// Path asks by HTTP for that path, where any status below 500 is an
	// answer; without it a connection is one.
	Path string `json:"path,omitempty"`
	// Gone waits until nothing answers, rather than until something does.
	Gone bool `json:"gone,omitempty"`
	// TimeoutMS bounds the time in which it is asked again and again, in
	// milliseconds; 0 asks once.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
	// While ends the probe early as soon as process_wait would have something
	// to tell of one of these programs.
	While []int `json:"while,omitempty"`
}

// ProbeResult is how it was when the probe ended.
type ProbeResult struct {
	Answers bool `json:"answers"`
	// Status is the HTTP status, where Path was asked for.
	Status int `json:"status,omitempty"`
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
	// Network is what build steps may reach: none, default or host. Empty is
	// default.
	Network string `json:"network,omitempty"`
	// Push sends the image to the registry of each tag after the build.
	Push bool `json:"push,omitempty"`
	// Labels are put on the image.
	Labels map[string]string `json:"labels,omitempty"`
	// Platforms are what the image is for, such as linux/arm64; empty is the
	// engine's own.
	Platforms []string `json:"platforms,omitempty"`
	// Secrets are what steps may mount, by their IDs. A value is a reference:
	// one that the provider knows is no secret, and is refused.
	Secrets map[string]Value `json:"secrets,omitempty"`
	// CacheFrom and CacheTo are where results of steps are fetched from and
	// sent to: references in a registry, or as other clients write them,
	// type=registry,ref=REFERENCE, for CacheTo with mode=max or without.
	CacheFrom []string `json:"cache_from,omitempty"`
	CacheTo   []string `json:"cache_to,omitempty"`
}

// DockerBuildResult is the image that was built.
type DockerBuildResult struct {
	// Image is the first of the request's tags.
	Image string `json:"image"`
	// ID is by which digest an engine runs the image, with the algorithm: that of
	// its manifest or index in an engine with containerd's image store, and
	// otherwise that of its configuration. An image for several platforms has
	// that of its index.
	ID string `json:"id"`
	// Digest is of the manifest, or of the index for several platforms, by which
	// a deployment names the image: the one in the registry where it was pushed,
	// or else the one that a layout or an engine has. It is empty where there is
	// none.
	Digest string `json:"digest,omitempty"`
	// OtherDigests are those of further manifests: an engine without containerd's
	// image store pushes another one than a layout gets.
	OtherDigests []string `json:"other_digests,omitempty"`
	// Config is the digest of the image's configuration, empty for several
	// platforms.
	Config string `json:"config,omitempty"`
	// Bases are the digests of the images that it was built from, by their full
	// references, as far as the builder told them.
	Bases map[string]string `json:"bases,omitempty"`
}

// DockerImageRequest asks for an image that the engine has.
type DockerImageRequest struct {
	Image string `json:"image"`
}

// DockerImageResult is that image. One that isn't there is an error with
// [CodeNotFound].
type DockerImageResult struct {
	Image string `json:"image"`
	// ID is by which digest the engine runs the image, with the algorithm.
	ID string `json:"id"`
	// Digest is of its manifest or index, where the engine tells of one, and
	// otherwise Config of its configuration.
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
	// Above asks about the directories above the project directory, up to the
	// root, instead: whether the nearest .git there is a file, as above a part of
	// a worktree or a submodule. Path is .git, since nothing else is told of
	// what is there. No is an error with [CodeNotFound]; yes is a [FileInfo]
	// with nothing but the name.
	Above bool `json:"above,omitempty"`
}

// MaxFile bounds what read_file returns, in bytes.
const MaxFile = 4 << 20

// ReadFileResult is a file's content.
type ReadFileResult struct {
	Data []byte `json:"data"`
}

// FileInfo is what stat and list say of a file or directory.
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

// EnvStatusRequest asks about variables, in the places where a [Value] with
// the same files would be found.
type EnvStatusRequest struct {
	Names []string `json:"names"`
	Files []string `json:"files,omitempty"`
}

// EnvState says whether a variable is there; the value is never told.
type EnvState string

// The states of a variable.
const (
	EnvSet     EnvState = "set"
	EnvEmpty   EnvState = "empty" // or nothing but line ends
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
