// Package supported lists the supported versions of engines and BuildKit. Older ones are
// refused; ones newer than those of the tests are not.
package supported

// The least versions.
const (
	// EngineAPI is the version of the engine's API that Docker 20.10 has, and
	// Podman 4.
	EngineAPI = "1.41"
	// Engines are the engines with this API.
	Engines = "Docker 20.10 or Podman 4.0"
	// BuildKit is the first version of a daemon that reports its version and supports
	// source policies. An engine's own BuildKit may be older.
	BuildKit = "0.11"
)

// Tested are the versions that the tests use.
var Tested = []string{"Docker 20.10", "Docker 29", "Podman 4.3", "BuildKit 0.34"}
