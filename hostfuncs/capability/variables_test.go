package capability

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func allVariables() []variableGroup {
	return slices.Concat(variablesByEnding, variablesOfSystem, variablesOfTools, variablesOfLanguages)
}

// TestVariablesHaveAReasonAndASource: so that whoever is denied one can read why.
func TestVariablesHaveAReasonAndASource(t *testing.T) {
	name := regexp.MustCompile(`^[A-Z0-9_.*]+$`)
	seen := make(map[string]bool)
	for _, group := range allVariables() {
		if group.why == "" || !strings.HasPrefix(group.source, "https://") || len(group.names) == 0 {
			t.Errorf("%v: why %q, source %q", group.names, group.why, group.source)
		}
		for _, n := range group.names {
			if seen[n] || !name.MatchString(n) {
				t.Errorf("%s is there twice, or not in upper case", n)
			}
			seen[n] = true
		}
	}
}
