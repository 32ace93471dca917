// Package audit keeps a log of what runs did and what they were allowed, and
// shows whether it is still as it was written.
//
// # Format
//
// A log is a file of JSON Lines (https://jsonlines.org): one [Record] a line,
// in UTF-8, ended by a newline. Characters that a terminal would obey, or show
// in another order, are written as \u escapes. The fields of a record and
// their order are those of Record; empty ones are left out where Record says
// omitempty, but for those numbers of a call and an end that are worth a zero.
// Fields may be added in later versions.
//
// # Chain
//
// A line ends with its hash:
//
//	{"type":"start", ... ,"prev":"<64 hex digits>","hash":"<64 hex digits>"}
//
// hash is the SHA-256, in lower-case hex, of the bytes of the line before
// `,"hash":"`. It covers prev, and prev is the hash of the record before, in
// the file and not in the run; it is 64 zeros in the first record of a file.
//
// Something else than a record may stand between two of them: a line that
// breaks off, since its writer was killed. The next writer leaves such bytes
// as they are, ends them with a newline, and covers them: prev is then the
// SHA-256 of the 64 hex digits of the record before, followed by every byte
// between the newline of that record's line and the first byte of the new
// one.
//
// So a record that is changed, removed, put in or moved is found by [Verify].
// Records cut off at the end of the file show as runs without an end, unless
// whole runs are cut off. The chain has no key: who may write the file can cut
// it off there, or make all of it anew, and isn't found out. Against both, keep
// the last hash, [Report].Head, where they can't reach: a log that goes on has
// it as the prev of a later record.
//
// # Durability
//
// A record is handed to the system in one write and is not forced to the disk
// (fsync) by itself. It outlives the process, however that ends, but the last
// seconds may be lost when the machine crashes or loses power; [Verify] then
// says what it says after a kill.
package audit

import (
	"encoding/json"
	"time"
)

// The types of records.
const (
	TypeStart = "start" // a run begins
	TypeBegin = "begin" // an allowed call is about to have its effect
	TypeCall  = "call"  // a call is done
	TypeEnd   = "end"   // a run is over
)

// What was decided of a call.
const (
	Allowed = "allowed"
	Denied  = "denied"
)

// Record is a line of a log. Seq, Prev and Hash are filled in when it is
// written; all other fields are the caller's.
type Record struct {
	Type string `json:"type"`
	// Time is when the record was written, in UTC. A call began its duration
	// earlier.
	Time time.Time `json:"time"`
	// Run tells runs apart; Seq counts a run's records from 1.
	Run string `json:"run"`
	Seq int    `json:"seq"`
	// Provider is the ID, and SHA256 the module's, in hex.
	Provider string `json:"provider,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
	// Policies are those in force.
	Policies []Policy `json:"policies"`

	// A start has these. Versions are of this program and what it was built
	// with, by name.
	Command     string            `json:"command,omitempty"`
	Versions    map[string]string `json:"versions,omitempty"`
	Config      *File             `json:"config,omitempty"`
	Confinement string            `json:"confinement,omitempty"`

	// A begin and a call have these. Call counts the calls of a run from 1,
	// Asked is the claim in words, and Claim what was decided on; a call that
	// couldn't be read has neither.
	Call      int             `json:"call,omitempty"`
	Operation string          `json:"operation,omitempty"`
	Asked     string          `json:"asked,omitempty"`
	Claim     json.RawMessage `json:"claim,omitempty"`

	// A call has these. Decision is empty where none was made. Layer, Rule,
	// RuleFile and RuleLine are the one that decided, where there was one, and
	// Reason says so in words; Layers is what each policy said.
	Decision string  `json:"decision,omitempty"`
	Layer    string  `json:"layer,omitempty"`
	Rule     string  `json:"rule,omitempty"`
	RuleFile string  `json:"rule_file,omitempty"`
	RuleLine int     `json:"rule_line,omitempty"`
	Reason   string  `json:"reason,omitempty"`
	Layers   []Layer `json:"layers,omitempty"`
	Signal   string  `json:"signal,omitempty"`
	// Unchanged says that an allowed command did not run, since it succeeded with
	// the same input before.
	Unchanged    bool `json:"unchanged,omitempty"`
	RequestBytes int  `json:"request_bytes,omitempty"`
	ReplyBytes   int  `json:"reply_bytes,omitempty"`

	// An end has these. Outcome is a word, such as done, failed, denied or
	// interrupted.
	Outcome string `json:"outcome,omitempty"`
	Calls   int    `json:"calls,omitempty"`
	Denied  int    `json:"denied,omitempty"`
	// Changed are the files that restrict runs and were changed during this one.
	Changed []Change `json:"changed,omitempty"`

	// A call and an end have these. Error is nil when all went well, and
	// ExitCode where nothing exited.
	Error      *Failure `json:"error,omitempty"`
	ExitCode   *int     `json:"exit_code,omitempty"`
	DurationMS float64  `json:"duration_ms,omitempty"`

	Prev string `json:"prev"`
	Hash string `json:"hash"`
}

// Policy is one layer that is in force.
type Policy struct {
	Layer  string `json:"layer"`
	Name   string `json:"name"`
	SHA256 string `json:"sha256,omitempty"` // hex; empty where it is no file
}

// Layer is what one policy said of a call.
type Layer struct {
	Layer    string `json:"layer"`
	Name     string `json:"name"`
	Decision string `json:"decision"`
	Rule     string `json:"rule,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// File is a file that was read, and its SHA-256 in hex.
type File struct {
	Name   string `json:"file"`
	SHA256 string `json:"sha256,omitempty"`
}

// Change is a file that is not what it was. How is "created", "removed" or
// "changed".
type Change struct {
	Name string `json:"file"`
	How  string `json:"how"`
}

// Failure is what went wrong.
type Failure struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}
