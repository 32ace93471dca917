package capability

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Limits bound each command of a provider. 0 means no bound.
type Limits struct {
	// Time is how long it may run.
	Time time.Duration
	// Output is how many bytes it may print.
	Output uint64
	// OpenFiles is how many files one process may have open.
	OpenFiles uint64
	// Processes is how many processes and threads its user may have besides
	// those that exist when the command starts.
	Processes uint64
}

// LimitsOf are the bounds of a provider's commands: of several the tightest.
func LimitsOf(policies []*Policy, provider string) Limits {
	var least Limits
	for _, p := range policies {
		for _, s := range p.of(provider) {
			l := s.confine.limits
			least.Time = tighter(least.Time, l.Time)
			least.Output = tighter(least.Output, l.Output)
			least.OpenFiles = tighter(least.OpenFiles, l.OpenFiles)
			least.Processes = tighter(least.Processes, l.Processes)
		}
	}
	return least
}

func tighter[T time.Duration | uint64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// leastOpenFiles is what a program needs to start at all.
const leastOpenFiles = 16

// limits reads the key limits.
func (r *reader) limits(n *yamldoc.Node, into *Limits) {
	r.mapping(n, "a mapping", map[string]func(*yamldoc.Node){
		"time":       func(n *yamldoc.Node) { into.Time = r.duration(n) },
		"output":     func(n *yamldoc.Node) { into.Output = r.size(n) },
		"open_files": func(n *yamldoc.Node) { into.OpenFiles = r.count(n, leastOpenFiles) },
		"processes":  func(n *yamldoc.Node) { into.Processes = r.count(n, 1) },
	})
}

func (r *reader) duration(n *yamldoc.Node) time.Duration {
	d, err := time.ParseDuration(n.Text())
	if n.Kind() != yamldoc.KindString || err != nil || d <= 0 {
		r.problems.Wrong(n, fmt.Sprintf("%q is not a time above 0", n.Text()), "write it as 90s, 30m or 2h")
	}
	return d
}

func (r *reader) size(n *yamldoc.Node) uint64 {
	size, ok := ParseSize(n.Text())
	if n.Kind() != yamldoc.KindString || !ok {
		r.problems.Wrong(n, fmt.Sprintf("%q is not a size", n.Text()), "write it as 64KiB, 256MiB or 1GiB")
	}
	return size
}

// ParseSize reads a size such as 256MiB: a number of at most nine digits with a unit, B,
// KiB, MiB or GiB.
func ParseSize(text string) (uint64, bool) {
	digits := strings.TrimRight(text, "BGKMi")
	shift, ok := map[string]uint{"B": 0, "KiB": 10, "MiB": 20, "GiB": 30}[text[len(digits):]]
	number, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil || digits[0] < '1' || digits[0] > '9' || len(digits) > 9 {
		return 0, false
	}
	return number << shift, true
}

func (r *reader) count(n *yamldoc.Node, least uint64) uint64 {
	count, err := strconv.ParseUint(n.Text(), 10, 32)
	if n.Kind() != yamldoc.KindInt || err != nil || count < least {
		r.problems.Wrong(n, fmt.Sprintf("%q is not a number from %d on", n.Text(), least), "")
	}
	return count
}
