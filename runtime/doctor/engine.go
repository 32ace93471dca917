package doctor

import (
	"fmt"
	"strings"
	"time"
)

// Engine is what a Docker engine or a BuildKit daemon says of itself.
type Engine struct {
	// Address is where it listens, and From the setting that names it; Default says
	// that none does.
	Address, From string
	Default       bool
	// Needed says that the configuration requires it.
	Needed bool
	// Name and BuildKit are versions; BuildKit is empty for an engine without it.
	Name, BuildKit string
	// Ahead is how far its clock is ahead, if HasClock.
	Ahead    time.Duration
	HasClock bool
	// Err says why it cannot be used, empty if it can, and Hint what to do.
	Err, Hint string
}

// where is the address and its source.
func (e Engine) where() string {
	switch {
	case e.Address == "" && e.From == "":
		return ""
	case e.Address == "":
		return " from " + e.From
	case e.From == "":
		return " at " + e.Address
	}
	return fmt.Sprintf(" at %s (%s)", e.Address, e.From)
}

// findings judges a Docker engine. Without one, builds by the embedded builder and
// commands still work, so only an engine that somebody named has to answer.
func (e Engine) findings() []Finding {
	switch {
	case e.Err != "" && e.Name != "":
		return []Finding{fail(CheckEngine, fmt.Sprintf("%s%s: %s", e.Name, e.where(), e.Err), e.Hint)}
	case e.Err != "" && e.Default && !e.Needed:
		return []Finding{warn(CheckEngine, "none"+e.where()+": "+e.Err, joinLines(e.Hint, "without an engine, build uses the embedded builder, which runs no commands of a Dockerfile"))}
	case e.Err != "":
		return []Finding{fail(CheckEngine, "none"+e.where()+": "+e.Err, e.Hint)}
	case e.BuildKit == "":
		return []Finding{ok(CheckEngine, e.Name+e.where()), warn(CheckBuildKit, "the engine has none: its classic build API takes longer, and has no secrets, caches or several platforms", "")}
	}
	return []Finding{ok(CheckEngine, e.Name+e.where()), ok(CheckBuildKit, e.BuildKit+", in the engine")}
}

// daemon judges a BuildKit daemon, which the configuration names.
func (e Engine) daemon() Finding {
	if e.Err != "" {
		return fail(CheckDaemon, fmt.Sprintf("no BuildKit at %s: %s", e.Address, e.Err), "start it, or correct build.engine in stagecraft.yml and STAGECRAFT_ENGINE_CERTS")
	}
	return ok(CheckDaemon, fmt.Sprintf("BuildKit %s at %s", e.BuildKit, e.Address))
}

// joinLines joins hints that are not empty.
func joinLines(lines ...string) string { return strings.TrimSpace(strings.Join(lines, "\n")) }
