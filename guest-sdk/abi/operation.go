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

// MaxProcesses bounds the started programs that run at once, MaxWatches the watched
// texts of one program.
const (
	MaxProcesses = 16
	MaxWatches   = 16
)

// ProcessStartRequest asks the host to start a program without waiting for its end. The
// user sees its output line by line. Its standard input is Stdin or empty, and it ends
// with the run.
type ProcessStartRequest struct {
	// Argv, Dir, EnvBase, EnvFiles, Env and Stdin are as in [ExecRequest].
	Argv     []string         `json:"argv"`
	Dir      string           `json:"dir,omitempty"`
	EnvBase  map[string]Value `json:"env_base,omitempty"`
	EnvFiles []string         `json:"env_files,omitempty"`
	Env      map[string]Value `json:"env,omitempty"`
	Stdin    *Value           `json:"stdin,omitempty"`
	// Name is the prefix of each line of its output. Without it, that is the program's
	// name while more than one program runs, and nothing otherwise.
	Name string `json:"name,omitempty"`
	// Terminal gives the program a terminal of its own, if the user has one: what it
	// prints, also to standard error, then goes to standard output. Nothing is typed there.
	// Otherwise it has pipes. It is for programs that print in colour or show progress.
	Terminal bool `json:"terminal,omitempty"`
	// Watch are texts to look for in its output. process_wait reports the first line
	// with one of them, without control sequences.
	Watch []string `json:"watch,omitempty"`
	// Ready says when the program is ready, which process_wait reports once. A port
	// needs the right to connect to it.
	Ready *Ready `json:"ready,omitempty"`
	// Ends says that the program ends by itself, such as a migration. A plan supposes
	// that it succeeds.
	Ends bool `json:"ends,omitempty"`
	// Ordered leaves it to the provider to end the program with process_stop when the
	// run is asked to end. The programs of a provider that does not do so end with the
	// provider.
	Ordered bool `json:"ordered,omitempty"`
}

// Ready is a condition for a started program. One field is set.
type Ready struct {
	// TCP is a port of this machine's loopback that accepts a connection.
	TCP int `json:"tcp,omitempty"`
	// HTTP is a request to this machine's loopback.
	HTTP *ReadyHTTP `json:"http,omitempty"`
	// Log is a regular expression that a line of its output matches, in the syntax of
	// https://github.com/google/re2/wiki/Syntax. The line has no control sequences.
	Log string `json:"log,omitempty"`
}

// ReadyHTTP is a request that has to be answered.
type ReadyHTTP struct {
	Port int `json:"port"`
	// Path begins with /, the default.
	Path string `json:"path,omitempty"`
	// Status is the status of the answer; the default is any below 500.
	Status int `json:"status,omitempty"`
}

// MaxReadyLog bounds Log of [Ready], in bytes.
const MaxReadyLog = 1024

// ProcessStartResult identifies the started program.
type ProcessStartResult struct {
	ID int `json:"id"`
}

// ProcessWaitRequest waits until something happens to one of the programs, or to watched
// files.
type ProcessWaitRequest struct {
	// IDs are the programs and watches. Empty means all watches, and all started programs
	// whose end was not reported yet.
	IDs []int `json:"ids,omitempty"`
	// TimeoutMS bounds the wait, in milliseconds; 0 means no bound.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
	// Clock asks for WaitedMS. Without it, equal runs have equal results and can be
	// replayed.
	Clock bool `json:"clock,omitempty"`
	// Keys are what the user can type, in a terminal, while the provider waits.
	Keys []Key `json:"keys,omitempty"`
}

// Key is a letter that the user can type, with Enter.
type Key struct {
	// Key is the letter, a to z.
	Key string `json:"key"`
	// Argument names the word that follows the letter, if one has to.
	Argument string `json:"argument,omitempty"`
	// Help says what the key does. The user sees all keys after typing "?".
	Help string `json:"help"`
}

// MaxKeys bounds the keys of a request, MaxKeyArgument the typed word, in bytes.
const (
	MaxKeys        = 16
	MaxKeyArgument = 64
)

// ProcessWaitResult is the first event. One field is set, and WaitedMS if it was asked
// for.
type ProcessWaitResult struct {
	Exited *ProcessExit `json:"exited,omitempty"`
	Seen   *ProcessLine `json:"seen,omitempty"`
	// Ready is a program whose condition is met.
	Ready *ProcessReady `json:"ready,omitempty"`
	// Typed is a key of the request that the user typed.
	Typed *TypedKey `json:"typed,omitempty"`
	// Changed are watched files that changed since this was last reported.
	Changed *FilesChanged `json:"changed,omitempty"`
	// Interrupted means that the user or the system asked the run to end. It is reported
	// once. The programs got the signal too. Those that do not end within the grace
	// period are killed, and the provider is stopped soon after.
	Interrupted bool `json:"interrupted,omitempty"`
	TimedOut    bool `json:"timed_out,omitempty"`
	// WaitedMS is how long the call took, in milliseconds.
	WaitedMS int64 `json:"waited_ms,omitempty"`
}

// ProcessReady is a started program that became ready.
type ProcessReady struct {
	ID int `json:"id"`
}

// TypedKey is a key with the word that was typed after it.
type TypedKey struct {
	Key      string `json:"key"`
	Argument string `json:"argument,omitempty"`
}

// ProcessExit is how a started program ended. Its ID is invalid from then on.
type ProcessExit struct {
	ID int `json:"id"`
	// ExitCode, Signal and Interrupted are as in [ExecResult].
	ExitCode    int    `json:"exit_code"`
	Signal      string `json:"signal,omitempty"`
	Interrupted bool   `json:"interrupted,omitempty"`
	// Tail is the end of its output, at most MaxTail bytes.
	Tail string `json:"tail,omitempty"`
}

// MaxTail bounds Tail of [ProcessExit], in bytes.
const MaxTail = 4 << 10

// ProcessLine is a line with a watched text.
type ProcessLine struct {
	ID   int    `json:"id"`
	Line string `json:"line"`
}

// ProcessStopRequest asks the host to end a started program and all that it started, or a
// watch.
type ProcessStopRequest struct {
	ID int `json:"id"`
	// Signal is SIGTERM, SIGINT, SIGHUP or SIGQUIT; the default is SIGTERM.
	Signal string `json:"signal,omitempty"`
	// GraceMS is the time before it is killed, in milliseconds. The default and the most
	// is that of an interrupt.
	GraceMS int64 `json:"grace_ms,omitempty"`
	// NoWait returns an empty result before the program has ended. process_wait reports
	// its end.
	NoWait bool `json:"no_wait,omitempty"`
}

// ReadyRequest tells the user that the backend is ready.
type ReadyRequest struct {
	// Processes are its programs. There is at least one.
	Processes []ReadyProcess `json:"processes"`
}

// ReadyProcess is a program that is ready, and the URL at which the user reaches it, if
// any.
type ReadyProcess struct {
	// Name may be empty if there is one program.
	Name string `json:"name,omitempty"`
	// URL begins with http:// or https://.
	URL string `json:"url,omitempty"`
}

// MaxFileWatches bounds the watches of files at the same time, MaxChanged the paths of
// [FilesChanged], and MaxDebounceMS the time in [WatchRequest], in milliseconds.
const (
	MaxFileWatches = 16
	MaxChanged     = 20
	MaxDebounceMS  = 10_000
)

// WatchRequest asks the host to watch files of the project. Patterns are those of policies,
// relative to the project directory. One without * is a file, or a directory with all that
// is in it.
type WatchRequest struct {
	// Paths are what is watched. Directories with the names .git and node_modules are
	// left out unless a pattern has that name.
	Paths []string `json:"paths"`
	// Ignore are what of that is not watched. An ignored directory is ignored with all
	// that is in it.
	Ignore []string `json:"ignore,omitempty"`
	// DebounceMS is how long nothing has to change before a change is reported, in
	// milliseconds; 0 means 200.
	DebounceMS int64 `json:"debounce_ms,omitempty"`
}

// WatchResult identifies the watch, for process_wait and process_stop.
type WatchResult struct {
	ID int `json:"id"`
}

// FilesChanged are files that changed, were created or were removed.
type FilesChanged struct {
	ID int `json:"id"`
	// Paths are the first MaxChanged of them, sorted, relative to the project directory.
	Paths []string `json:"paths"`
	// More means that there are others.
	More bool `json:"more,omitempty"`
}

// ProbeRequest asks whether something answers on this machine's loopback.
type ProbeRequest struct {
	// Address is host:port; the host is localhost or a loopback address.
	Address string `json:"address"`
	// Path is requested by HTTP, and any status below 500 is an answer. Without it, a
	// connection is an answer.
	Path string `json:"path,omitempty"`
	// Gone waits until nothing answers, instead of until something does.
	Gone bool `json:"gone,omitempty"`
	// TimeoutMS is how long the host asks again, in milliseconds; 0 asks once.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
	// While ends the probe as soon as process_wait would report something of one of
	// these programs.
	While []int `json:"while,omitempty"`
}

// ProbeResult is the state at the end of the probe.
type ProbeResult struct {
	Answers bool `json:"answers"`
	// Status is the HTTP status, if Path was requested.
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
