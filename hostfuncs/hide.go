package hostfuncs

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// hidden is what was decided on the variables of a run: whose values are masked, and
// whose are not. All lists are names for the next report.
type hidden struct {
	told   map[string]bool // what was reported, or is going to be
	masked []string
	short  []string
	plain  []string // with the reason
	warned bool
}

// hide has a value shown as *** from now on.
func (w *World) hide(name, text string) {
	if w.Mask.Add(text) {
		w.hidden.note(&w.hidden.masked, name)
	} else {
		w.hidden.note(&w.hidden.short, name)
	}
}

// hideFile hides what is in a dotenv file, but for what is evidently no secret. A
// secret of the host's that a value is made of is masked by itself, too.
func (w *World) hideFile(f *envFile) {
	for _, name := range f.taken {
		if redact.SecretName(name) {
			w.hide(name, w.getenv(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.vars)) {
		switch why := redact.Plain(name, f.vars[name]); why {
		case "":
			w.hide(name, f.vars[name])
		case redact.PlainEmpty:
		default:
			w.hidden.note(&w.hidden.plain, name+" ("+why+")")
		}
	}
}

// note adds to a list what was not reported before.
func (h *hidden) note(list *[]string, entry string) {
	if h.told == nil {
		h.told = make(map[string]bool)
	}
	if !h.told[entry] {
		h.told[entry] = true
		*list = append(*list, entry)
	}
}

// maxNames bounds what one report has of names, in characters.
const maxNames = 4000

// tellHidden reports what was hidden since it was last called. Only the first values
// that are too short for a mask are warned of: there is one warning in a run.
func (w *World) tellHidden() {
	h := &w.hidden
	debug := func(said string, names []string) {
		if len(names) > 0 {
			w.Log(abi.LevelDebug, said+termtext.Line(strings.Join(names, ", "), maxNames))
		}
	}
	debug("masked from now on: ", h.masked)
	debug("not masked: ", h.plain)
	if h.warned {
		debug("too short to be masked: ", h.short)
	} else if len(h.short) > 0 {
		h.warned = true
		w.Warn(errors.New(tooShort(h.short)))
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
