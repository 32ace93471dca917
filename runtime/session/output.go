package session

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/screen"
)

// OutputOptions say what is shown of the output of commands, line by line. They cannot be
// used with an interactive command, which has the terminal.
type OutputOptions struct {
	// Timestamps begins each line with the local time.
	Timestamps bool
	// Only is the name of the program that is shown; if empty, all are.
	Only string
	// LogFile is the file to which the lines of all programs are appended, without
	// control sequences.
	LogFile string
}

// openScreen makes the screen of the session's commands, and opens the log. That is open
// as long as the session.
func (s *Session) openScreen() error {
	o := s.opts.Output
	options := screen.Options{
		Stdout: s.opts.Stdout, Stderr: s.opts.Stderr, Colour: s.opts.Colour, Mask: s.opts.Mask.Text,
		Timestamps: o.Timestamps, Only: o.Only,
	}
	if o.LogFile != "" {
		var err error
		options.Log, err = screen.OpenLog(o.LogFile, func(err error) {
			s.opts.Reporter.Warn(fmt.Errorf("the log of the output, %s, ends here: %w", o.LogFile, err))
		})
		if err != nil {
			return fmt.Errorf("cannot open the log of the output: %w", err)
		}
	}
	s.screen = screen.New(options)
	return nil
}

// Message returns a writer to w for messages of the caller's own, whole lines in each
// Write. It leaves the lines of programs whole, as nothing else does that writes to the
// terminal of Options.Stdout during a run.
func (s *Session) Message(w io.Writer) io.Writer { return s.screen.Message(w) }

// warnNotShown warns if no program had the name whose output was to be shown.
func (s *Session) warnNotShown() {
	names, missing := s.screen.Missing()
	if !missing || len(names) == 0 {
		return
	}
	slices.Sort(names)
	s.opts.Reporter.Warn(fmt.Errorf("no program has the name %q, so no output was shown; the programs are %s", s.opts.Output.Only, strings.Join(names, ", ")))
}
