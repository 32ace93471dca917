package abi

// ExportDetect is the export that proposes configurations for a project without one.
// Modules may lack it.
const ExportDetect = "detect" // DetectOptions -> DetectResult

// OptionalExports lists the functions that a provider may export, sorted.
func OptionalExports() []string { return []string{ExportDetect} }

// DetectOptions is the input of detect.
type DetectOptions struct {
	// WorkDir is the project directory as requests name it.
	WorkDir string `json:"workdir"`
	// Config is the provider's part of a configuration that exists. The provider then
	// returns one candidate with what this configuration needs.
	Config JSON `json:"config,omitempty"`
}

// DetectResult is the output of detect.
type DetectResult struct {
	// Candidates are in the provider's own order, the best first.
	Candidates []Candidate `json:"candidates,omitempty"`
}

// Certainty says how sure a provider is of a candidate.
type Certainty string

// The levels of certainty, from high to low.
const (
	Certain  Certainty = "certain"  // the project itself says how it runs
	Likely   Certainty = "likely"   // it is what the documentation of its framework says
	Possible Certainty = "possible" // it may be something else
)

// Candidate is a proposed configuration. The user sees all of it before it is written.
type Candidate struct {
	// Name says what was found, such as "Node.js with pnpm".
	Name string `json:"name"`
	// Dir is the directory of what was found, relative to the project directory.
	Dir       string    `json:"dir"`
	Certainty Certainty `json:"certainty"`
	// Evidence says where it was found, such as `package.json: script "dev"`.
	Evidence []string `json:"evidence,omitempty"`
	// Config is the provider's part of the configuration. The file has its keys in the
	// same order.
	Config JSON `json:"config"`
	// Comments are written above the keys at JSON pointers into Config.
	Comments map[string]string `json:"comments,omitempty"`
	// Before are things to do before the first run, such as "npm install".
	Before []string `json:"before,omitempty"`
	// Notes say what is not configured, such as an image without a Dockerfile.
	Notes []string `json:"notes,omitempty"`
	Needs Needs    `json:"needs"`
}

// Needs is what the commands of a candidate use: the content of a first policy.
type Needs struct {
	// Exec are the commands, word by word.
	Exec [][]string `json:"exec,omitempty"`
	// Use are tools as in a policy, such as node. A host ignores those it does not know.
	Use []string `json:"use,omitempty"`
	// EnvPass are variables: those that the configuration sets, and those of the user
	// that the commands get.
	EnvPass []string `json:"env_pass,omitempty"`
	// Write are directories with all that is below them, relative to the project
	// directory. The commands may read all of the project.
	Write []string `json:"write,omitempty"`
	// Listen and Connect are TCP ports.
	Listen  []int `json:"listen,omitempty"`
	Connect []int `json:"connect,omitempty"`
	// Network says why the commands connect to any port, of any machine. Empty means that
	// Connect lists all.
	Network string `json:"network,omitempty"`
	// Build are the build contexts.
	Build []string `json:"build,omitempty"`
	// Daemons are commands, word by word, that may keep running after the run. They are
	// among those that the provider asks for in its [Description].
	Daemons [][]string `json:"daemons,omitempty"`
	// Unconfined says why the commands cannot be confined. Empty means that they can.
	Unconfined string `json:"unconfined,omitempty"`
	// Comments are written above keys of the policy, such as net.connect.
	Comments map[string]string `json:"comments,omitempty"`
}

// The most of a [DetectResult] that a host accepts.
const (
	MaxCandidates    = 64
	MaxProposal      = 64 << 10 // bytes of a candidate as JSON
	MaxProposedLines = 64       // lines of each of its lists, and comments
	MaxProposedLine  = 400      // characters of a text
)
