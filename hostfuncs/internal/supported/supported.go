// Package supported says with which engines and with which BuildKit the project
// works. What is older than the least is refused; what is newer than what the
// tests run with is taken as it is.
package supported

// The least versions.
const (
	// EngineAPI is the version of the engine's API that Docker 20.10 has, and
	// Podman 4.
	EngineAPI = "1.41"
	// Engines are those whose API it is.
	Engines = "Docker 20.10 or Podman 4.0"
	// BuildKit is the version of a daemon that says which it is, and takes a
	// source policy. An engine's own BuildKit may be older.
	BuildKit = "0.11"
)

// Tested is what the tests run with.
var Tested = []string{"Docker 20.10", "Docker 29", "Podman 4.3", "BuildKit 0.34"}
