package actions

import (
	"errors"
	"fmt"
	"os"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// maxSummary is how large the file of a step's summary may be; of a larger one
// the runner shows nothing.
const maxSummary = 1 << 20

// Run is what a summary tells of a run. Text may come from anywhere.
type Run struct {
	Title    string
	Command  string
	Provider string
	Outcome  string
	Calls    []Call // in their order
	Denials  []Denial
	Allow    string // lines of a policy that would allow what was denied
	// AllowFile is the file where those lines belong.
	AllowFile string
	// Head is the hash of the audit log's last record.
	Head string
}

// Call is one call of the provider's.
type Call struct{ Operation, Asked, Decision, Rule string }

// Denial is a call that was refused, and why.
type Denial struct{ Operation, Asked, Reason string }

// Summary appends a run to the step's summary, the file that
// GITHUB_STEP_SUMMARY names, where there is one. What would make the file
// larger than 1 MiB is left out, calls first. A file that can't be written is
// a warning.
func (w *Workflow) Summary(r Run) {
	if w.summary == "" {
		return
	}
	if err := appendSummary(w.summary, r); err != nil {
		w.Warning(Annotation{Title: "no step summary", Message: fmt.Sprintf("the summary of this step can't be written: %v", err)})
	}
}

func appendSummary(path string, r Run) (err error) {
	// What was started before may have put a link or a pipe in its place.
	f, err := safefile.OpenUnlinked(path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	// One write, so that another process's text isn't torn apart.
	_, err = f.WriteString(r.markdown(maxSummary - int(min(info.Size(), maxSummary))))
	return err
}

// markdown is the run in at most room bytes. It begins with an empty line,
// since what stands before it may not end with one.
func (r Run) markdown(room int) string {
	p := &page{room: room}
	p.add("\n## " + code(r.Title) + "\n\n" + r.facts() + "\n")
	if len(r.Denials) > 0 {
		p.add("### Denied\n\n")
		for _, d := range r.Denials {
			p.add("- " + code(d.Operation) + " " + code(d.Asked) + ": " + code(d.Reason) + "\n")
		}
		p.add("\n")
	}
	if r.Allow != "" {
		p.add("To allow it, add to " + code(r.AllowFile) + ":\n\n" + fenced("yaml", r.Allow) + "\n")
	}
	if len(r.Calls) > 0 {
		p.add("### Calls\n\n" + row("operation", "asked", "decision", "rule") + row("---", "---", "---", "---"))
		for _, c := range r.Calls {
			p.add(row(code(c.Operation), code(c.Asked), code(c.Decision), code(c.Rule)))
		}
	}
	return p.text()
}

func (r Run) facts() string {
	text := ""
	for _, fact := range [][2]string{
		{"command", r.Command}, {"provider", r.Provider}, {"outcome", r.Outcome}, {"audit log's head", r.Head},
	} {
		if fact[1] != "" {
			text += "- " + fact[0] + ": " + code(fact[1]) + "\n"
		}
	}
	return text
}
