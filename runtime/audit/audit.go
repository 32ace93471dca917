// Package audit keeps a log of what runs did and were allowed to do, and verifies it.
//
// # Format
//
// A log is a file of JSON Lines (https://jsonlines.org): one [Record] a line, in UTF-8,
// ended by a newline. Control characters, and characters that change the order of text,
// are written as \u escapes. Fields are in the order of Record. Empty ones are omitted
// where Record says omitempty, except numbers of a call and an end for which zero means
// something. Later versions may add fields.
//
// # Chain
//
// A line ends with its hash:
//
//	{"type":"start", ... ,"prev":"<64 hex digits>","hash":"<64 hex digits>"}
//
// hash is the SHA-256, in lower-case hex, of the line's bytes before `,"hash":"`. It
// covers prev, the hash of the record before in the file, or 64 zeros in the first one.
//
// If a writer is killed, an incomplete line may stay between two records. The next writer
// ends it with a newline and covers it: prev is then the SHA-256 of the 64 hex digits of
// the record before, followed by every byte between that record's newline and the first
// byte of the new record.
//
// So [Verify] finds records that were changed, removed, inserted or moved. Records cut
// off at the end leave runs without an end, unless whole runs are cut off. The chain has
// no key: whoever can write the file can cut off whole runs or rewrite everything. To
// detect that, keep the last hash, [Report].Head, where they cannot write: a longer log
// has it as the prev of a later record.
//
// # Durability
//
// A record is one write, without fsync. It survives the end of the process, but the last
// seconds may be lost when the machine crashes. [Verify] then reports the same as after a
// kill.
package audit

import (
	"encoding/json"
	"time"
)

// The types of records.
const (
	TypeStart = "start" // a run begins
	TypeBegin = "begin" // an allowed call is about to have its effect
	TypeCall  = "call"  // a call ended
	TypeEnd   = "end"   // a run ended
)

// The decisions on a call.
const (
	Allowed = "allowed"
	Denied  = "denied"
)

// Record is a line of a log. [Log.Append] sets Seq, Prev and Hash.
type Record struct {
	Type string `json:"type"`
	// Time is when the record was written, in UTC. A call began its duration
	// earlier.
	Time time.Time `json:"time"`
	// Run identifies the run; Seq counts its records from 1.
	Run string `json:"run"`
	Seq int    `json:"seq"`
	// Provider is the ID; SHA256 is the module's, in hex.
	Provider string `json:"provider,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
	// Policies are those in force.
	Policies []Policy `json:"policies"`

	// Fields of a start. Versions are of this program and its parts, by name.
	Command     string            `json:"command,omitempty"`
	Versions    map[string]string `json:"versions,omitempty"`
	Config      *File             `json:"config,omitempty"`
	Confinement string            `json:"confinement,omitempty"`

	// Fields of a begin and a call. Call counts the calls of a run from 1. Asked is
	// the claim in words and Claim what was decided on; an invalid call has neither.
	Call      int             `json:"call,omitempty"`
	Operation string          `json:"operation,omitempty"`
	Asked     string          `json:"asked,omitempty"`
	Claim     json.RawMessage `json:"claim,omitempty"`

	// Fields of a call. Decision is empty if none was made. Layer, Rule, RuleFile and
	// RuleLine are of the rule that decided, if any, and Reason says so in words.
	// Layers has each policy's decision.
	Decision string  `json:"decision,omitempty"`
	Layer    string  `json:"layer,omitempty"`
	Rule     string  `json:"rule,omitempty"`
	RuleFile string  `json:"rule_file,omitempty"`
	RuleLine int     `json:"rule_line,omitempty"`
	Reason   string  `json:"reason,omitempty"`
	Layers   []Layer `json:"layers,omitempty"`
	Signal   string  `json:"signal,omitempty"`
	// Unchanged means that an allowed command did not run, because it succeeded with
	// the same input before.
	Unchanged    bool `json:"unchanged,omitempty"`
	RequestBytes int  `json:"request_bytes,omitempty"`
	ReplyBytes   int  `json:"reply_bytes,omitempty"`

	// Fields of an end. Outcome is a word such as done, failed, denied or interrupted.
	Outcome string `json:"outcome,omitempty"`
	Calls   int    `json:"calls,omitempty"`
	Denied  int    `json:"denied,omitempty"`
	// Changed are the files that restrict runs and changed during this one.
	Changed []Change `json:"changed,omitempty"`

	// Fields of a call and an end. ExitCode is nil if no program exited.
	Error      *Failure `json:"error,omitempty"`
	ExitCode   *int     `json:"exit_code,omitempty"`
	DurationMS float64  `json:"duration_ms,omitempty"`

	Prev string `json:"prev"`
	Hash string `json:"hash"`
}

// Policy is a layer in force.
type Policy struct {
	Layer  string `json:"layer"`
	Name   string `json:"name"`
	SHA256 string `json:"sha256,omitempty"` // hex; empty if it is not a file
}

// Layer is one policy's decision on a call.
type Layer struct {
	Layer    string `json:"layer"`
	Name     string `json:"name"`
	Decision string `json:"decision"`
	Rule     string `json:"rule,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// File is a file with its SHA-256 in hex.
type File struct {
	Name   string `json:"file"`
	SHA256 string `json:"sha256,omitempty"`
}

// Change is a changed file. How is "created", "removed" or "changed".
type Change struct {
	Name string `json:"file"`
	How  string `json:"how"`
}

// Failure is an error.
type Failure struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}
