package cli

import (
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
)

// maxEnvRow is how much is shown of the names of variables, in characters.
const maxEnvRow = 10_000

// envRows say which variables reach a program, a line for each place that they
// come from. There are names alone, and no values.
func envRows(steps []hostfuncs.EnvStep) []string {
	var order []string
	names := make(map[string][]string)
	for _, s := range steps {
		from, name := "from your environment: ", s.Name
		switch s.By {
		case hostfuncs.EnvHost:
			from = "from stagecraft: "
		case hostfuncs.EnvFile:
			from = "from " + s.From + ": "
		case hostfuncs.EnvProvider:
			from = "sets "
			if s.From != "" {
				name += " from " + s.From
			}
		}
		if names[from] == nil {
			order = append(order, from)
		}
		names[from] = append(names[from], name)
	}
	rows := make([]string, len(order))
	for i, from := range order {
		rows[i] = from + strings.Join(names[from], ", ")
	}
	return rows
}
