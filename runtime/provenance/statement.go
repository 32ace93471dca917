// Package provenance says of an image what it was built from, by what and under
// which policies, signs that, and checks what was signed.
//
// # Format
//
// A file is a DSSE envelope (https://github.com/secure-systems-lab/dsse) around
// an in-toto statement (https://github.com/in-toto/attestation/tree/main/spec/v1)
// whose predicate is SLSA provenance, version 1 (https://slsa.dev/provenance/v1).
// What the predicate's parameters and dependencies mean is ours to say, and is
// in docs/provenance.md.
//
// The types have the names of the specifications. Why they are our own is under
// "Why a library for signatures, and none for statements?" in RATIONALE.md.
package provenance

// The types of a statement, and of what is in it. The last two are ours: their
// headings in docs/provenance.md say what they stand for.
const (
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "https://slsa.dev/provenance/v1"
	PayloadType   = "application/vnd.in-toto+json"
	BuildType     = "https://github.com/stagecraft-dev/stagecraft/blob/main/docs/provenance.md#build-v1"
	BuilderID     = "https://github.com/stagecraft-dev/stagecraft/blob/main/docs/provenance.md#builder-v1"
)

// Statement says something of its subjects.
// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
type Statement struct {
	Type          string       `json:"_type"`
	Subject       []Descriptor `json:"subject"`
	PredicateType string       `json:"predicateType"`
	Predicate     Predicate    `json:"predicate"`
}

// Descriptor is a ResourceDescriptor, with the fields that are written here. A
// digest is in lower-case hex, by the name of its algorithm.
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

// BuildDefinition is what went into the build.
type BuildDefinition struct {
	BuildType            string       `json:"buildType"`
	ExternalParameters   External     `json:"externalParameters"`
	InternalParameters   Internal     `json:"internalParameters"`
	ResolvedDependencies []Descriptor `json:"resolvedDependencies,omitempty"`
}

// External is what whoever asked for the build could choose. Others than these
// are refused, as https://slsa.dev/spec/v1.0/verifying-artifacts has it.
type External struct {
	// Config is the configuration.
	Config File `json:"config"`
	// Tag is the reference that the build was asked to give to the image.
	Tag  string `json:"tag"`
	Push bool   `json:"push,omitempty"`
	// Engine is what was to build, empty for whichever answers.
	Engine string `json:"engine,omitempty"`
	// Tags are further references, and Platforms what the image is for.
	Tags      []string `json:"tags,omitempty"`
	Platforms []string `json:"platforms,omitempty"`
	// Bases are OCI layouts in place of base images, as REFERENCE=oci:DIR.
	Bases   []string `json:"bases,omitempty"`
	NoCache bool     `json:"noCache,omitempty"`
	Pull    bool     `json:"pull,omitempty"`
	// Epoch is SOURCE_DATE_EPOCH.
	Epoch string `json:"sourceDateEpoch,omitempty"`
}

// Internal is what held while the image was built.
type Internal struct {
	// Policies are the policy files in force.
	Policies []Policy `json:"policies,omitempty"`
	// Plan is the one that the build was held to, nil without one.
	Plan *File `json:"plan,omitempty"`
	// ImageFrom is the operation that told the image's digest.
	ImageFrom string `json:"imageFrom,omitempty"`
}

// File is a file that was read, and its SHA-256 in hex.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Policy is a policy file.
type Policy struct {
	Layer string `json:"layer"`
	File
}

// RunDetails are of this one build.
type RunDetails struct {
	Builder  Builder  `json:"builder"`
	Metadata Metadata `json:"metadata"`
}

// Builder is who built, and answers for what is said here.
type Builder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version,omitempty"`
}

// Metadata is when it was, in RFC 3339 and UTC, and the run's ID.
type Metadata struct {
	InvocationID string `json:"invocationId,omitempty"`
	StartedOn    string `json:"startedOn,omitempty"`
	FinishedOn   string `json:"finishedOn,omitempty"`
}
