// Package provenance makes signed statements about images: from what they were built, by
// what, and under which policies. It also verifies them.
//
// # Format
//
// A file is a DSSE envelope (https://github.com/secure-systems-lab/dsse) around
// an in-toto statement (https://github.com/in-toto/attestation/tree/main/spec/v1)
// whose predicate is SLSA provenance, version 1 (https://slsa.dev/provenance/v1).
// docs/provenance.md defines the predicate's parameters and dependencies.
//
// The types are named as in the specifications. RATIONALE.md has the reason why they are
// our own: "Why a library for signatures, and none for statements?".
package provenance

// The types of a statement and its parts. docs/provenance.md defines the last two.
const (
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "https://slsa.dev/provenance/v1"
	PayloadType   = "application/vnd.in-toto+json"
	BuildType     = "https://github.com/stagecraft-dev/stagecraft/blob/main/docs/provenance.md#build-v1"
	BuilderID     = "https://github.com/stagecraft-dev/stagecraft/blob/main/docs/provenance.md#builder-v1"
)

// Statement is a statement about its subjects.
// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
type Statement struct {
	Type          string       `json:"_type"`
	Subject       []Descriptor `json:"subject"`
	PredicateType string       `json:"predicateType"`
	Predicate     Predicate    `json:"predicate"`
}

// Descriptor is a ResourceDescriptor with the fields that we write. Digests are in
// lower-case hex, by algorithm.
// https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md
type Descriptor struct {
	Name      string            `json:"name,omitempty"`
	URI       string            `json:"uri,omitempty"`
	Digest    map[string]string `json:"digest,omitempty"`
	MediaType string            `json:"mediaType,omitempty"`
}

// Predicate is SLSA provenance. https://slsa.dev/provenance/v1#schema
type Predicate struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// BuildDefinition is the input of the build.
type BuildDefinition struct {
	BuildType            string       `json:"buildType"`
	ExternalParameters   External     `json:"externalParameters"`
	InternalParameters   Internal     `json:"internalParameters"`
	ResolvedDependencies []Descriptor `json:"resolvedDependencies,omitempty"`
}

// External are the parameters that the user could choose. Unknown ones are refused, see
// https://slsa.dev/spec/v1.0/verifying-artifacts.
type External struct {
	// Config is the configuration.
	Config File `json:"config"`
	// Tag is the requested reference.
	Tag  string `json:"tag"`
	Push bool   `json:"push,omitempty"`
	// Engine is the requested engine; empty for any.
	Engine string `json:"engine,omitempty"`
	// Tags are further references.
	Tags      []string `json:"tags,omitempty"`
	Platforms []string `json:"platforms,omitempty"`
	// Bases are OCI layouts that replace base images, as REFERENCE=oci:DIR.
	Bases   []string `json:"bases,omitempty"`
	NoCache bool     `json:"noCache,omitempty"`
	Pull    bool     `json:"pull,omitempty"`
	// Epoch is SOURCE_DATE_EPOCH.
	Epoch string `json:"sourceDateEpoch,omitempty"`
}

// Internal are the parameters that the user could not choose.
type Internal struct {
	// Policies are the policy files in force.
	Policies []Policy `json:"policies,omitempty"`
	// Plan is the plan that was enforced, or nil.
	Plan *File `json:"plan,omitempty"`
	// ImageFrom is the operation that returned the image's digest.
	ImageFrom string `json:"imageFrom,omitempty"`
}

// File is a file with its SHA-256 in hex.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Policy is a policy file.
type Policy struct {
	Layer string `json:"layer"`
	File
}

// RunDetails describe the run.
type RunDetails struct {
	Builder  Builder  `json:"builder"`
	Metadata Metadata `json:"metadata"`
}

// Builder is the program that made the statement.
type Builder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version,omitempty"`
}

// Metadata has the times, in RFC 3339 and UTC, and the run's ID in the audit log.
type Metadata struct {
	InvocationID string `json:"invocationId,omitempty"`
	StartedOn    string `json:"startedOn,omitempty"`
	FinishedOn   string `json:"finishedOn,omitempty"`
}
