//go:build linux && !amd64 && !arm64

package confine

// These are empty: there are no filters for this processor.
const (
	auditArch      = 0
	foreignNumbers = 0
)

var archRefused, archChmod []uintptr

var archWatched map[uintptr]func(looker) []Use
