package doctor

import (
	"fmt"
	"strings"
	"time"
)

// Machine has the facts about a machine.
type Machine struct {
	// Version is that of stagecraft, and Built when it was built, zero if unknown.
	Version string
	Built   time.Time
	Now     time.Time
	Engine  Engine
	// Daemon is the BuildKit daemon that the configuration names, nil for none.
	Daemon   *Engine
	Kernel   Kernel
	Places   []Place
	Terminal Terminal
}

// Findings judges the machine.
func (m Machine) Findings() []Finding {
	found := []Finding{ok(CheckStagecraft, m.Version)}
	found = append(found, m.Engine.findings()...)
	if m.Daemon != nil {
		found = append(found, m.Daemon.daemon())
	}
	found = append(found, m.Kernel.findings()...)
	for _, p := range m.Places {
		found = append(found, p.finding())
	}
	return append(found, m.clock(), m.Terminal.finding())
}

// maxSkew is how far clocks may differ: more lets certificates and caches of one machine
// look wrong on another.
const maxSkew = time.Minute

// clock judges the clock. One that is before the build of this program is wrong; a day
// is left for time zones and for the clock of the machine that built it.
func (m Machine) clock() Finding {
	const hint = "set the clock, or let the system synchronise it"
	now := m.Now.UTC().Format("2006-01-02 15:04:05 UTC")
	switch ahead := m.Engine.Ahead.Round(time.Second); {
	case !m.Built.IsZero() && m.Now.Before(m.Built.Add(-24*time.Hour)):
		return fail(CheckClock, fmt.Sprintf("%s is before %s, when this stagecraft was built", now, m.Built.UTC().Format("2006-01-02")), hint)
	case m.Engine.HasClock && ahead > maxSkew:
		return warn(CheckClock, fmt.Sprintf("%s; the engine's clock is %v ahead", now, ahead), hint+", here or on the engine's machine")
	case m.Engine.HasClock && ahead < -maxSkew:
		return warn(CheckClock, fmt.Sprintf("%s; the engine's clock is %v behind", now, -ahead), hint+", here or on the engine's machine")
	case m.Engine.HasClock:
		return ok(CheckClock, now+", as the engine's")
	}
	return ok(CheckClock, now)
}

// Terminal says which streams are a terminal.
type Terminal struct {
	Stdin, Stdout, Stderr bool
	// Columns are its width, 0 if unknown, and Name is TERM.
	Columns int
	Name    string
}

func (t Terminal) finding() Finding {
	if !t.Stdin && !t.Stdout && !t.Stderr {
		return ok(CheckTerminal, "none: nothing is asked, and output has no colour")
	}
	var not []string
	for _, stream := range []struct {
		name string
		is   bool
	}{{"standard input", t.Stdin}, {"standard output", t.Stdout}, {"standard error", t.Stderr}} {
		if !stream.is {
			not = append(not, stream.name)
		}
	}
	message := fmt.Sprintf("%d columns, TERM=%s", t.Columns, t.Name)
	if len(not) > 0 {
		message += "; not a terminal: " + strings.Join(not, ", ")
	}
	if t.Name == "" {
		return warn(CheckTerminal, "TERM is not set", "set TERM, for example to xterm-256color")
	}
	return ok(CheckTerminal, message)
}
