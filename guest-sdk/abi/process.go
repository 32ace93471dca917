package abi

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
