package values

import (
	"errors"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// hidden records which variables of a run have masked values. The lists are for the next
// report.
type hidden struct {
	reported map[string]bool // entries that were reported, or are in a list
	masked   []string
	short    []string
	plain    []string // with the reason
	warned   bool
}

// Hide masks a value from now on: it is shown as ***.
func (e *Environment) Hide(name, text string) {
	if e.opts.Mask.Add(text) {
		e.hidden.note(&e.hidden.masked, name)
	} else {
		e.hidden.note(&e.hidden.short, name)
	}
}

// HideFile masks the values of a dotenv file that may be secrets, and the host's secrets
// that they use.
func (e *Environment) HideFile(f *File) {
	for _, name := range f.taken {
		if redact.SecretName(name) {
			e.Hide(name, e.Get(name))
		}
	}
	for _, name := range f.Names() {
		switch why := redact.Plain(name, f.Vars[name]); why {
		case "":
			e.Hide(name, f.Vars[name])
		case redact.PlainEmpty:
		default:
			e.hidden.note(&e.hidden.plain, name+" ("+why+")")
		}
	}
}

// note adds an entry to a list, unless it was reported before.
func (h *hidden) note(list *[]string, entry string) {
	if h.reported == nil {
		h.reported = make(map[string]bool)
	}
	if !h.reported[entry] {
		h.reported[entry] = true
		*list = append(*list, entry)
	}
}

// maxNames is the length of all names in one report, in characters.
const maxNames = 4000

// ReportHidden reports what was hidden since the last call. It warns once in a run of
// values that are too short to be masked.
func (e *Environment) ReportHidden() {
	h := &e.hidden
	debug := func(said string, names []string) {
		if len(names) > 0 {
			e.opts.Log(abi.LevelDebug, said+termtext.Line(strings.Join(names, ", "), maxNames))
		}
	}
	debug("masked from now on: ", h.masked)
	debug("not masked: ", h.plain)
	if h.warned {
		debug("too short to be masked: ", h.short)
	} else if len(h.short) > 0 {
		h.warned = true
		e.opts.Warn(errors.New(tooShort(h.short)))
	}
	h.masked, h.short, h.plain = nil, nil, nil
}

func tooShort(names []string) string {
	if len(names) == 1 {
		return "the value of " + names[0] + " is too short to be masked: it can be seen in what is printed and recorded"
	}
	return "the values of " + termtext.Line(strings.Join(names, ", "), maxNames) +
		" are too short to be masked: they can be seen in what is printed and recorded"
}
