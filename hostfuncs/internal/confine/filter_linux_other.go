//go:build linux && !amd64 && !arm64

package confine

// There is no filter for this processor.
const (
	auditArch      = 0
	foreignNumbers = 0
)

var archBeyond, archChmod []uintptr

var archWatched map[uintptr]func(looker) []Use
