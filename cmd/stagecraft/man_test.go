package main_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestManualPages: neither mandoc nor groff has a warning about the manual pages, and both
// show them.
func TestManualPages(t *testing.T) {
	mandoc, groff := providertest.Installed(t, "mandoc"), providertest.Installed(t, "groff")
	for _, command := range []string{"", "build", "plan", "policy explain", "help"} {
		page, err := exec.Command(clitest.Binary(), append([]string{"man"}, strings.Fields(command)...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		format := func(program string, args ...string) string {
			cmd := exec.Command(program, args...)
			cmd.Stdin = strings.NewReader(string(page))
			out, err := cmd.CombinedOutput()
			if err != nil && len(out) == 0 {
				t.Fatal(err)
			}
			return string(out)
		}
		for warning := range strings.Lines(format(mandoc, "-Tlint", "-W", "warning")) {
			// Builds outside of a repository have no date.
			if !strings.Contains(warning, `missing date, using "": TH`) {
				t.Errorf("%q: %s", command, warning)
			}
		}
		if warnings := format(groff, "-man", "-Tutf8", "-ww", "-z"); warnings != "" {
			t.Errorf("%q: %s", command, warnings)
		}
		// Bold letters are printed twice, with a backspace between.
		shown := regexp.MustCompile(".\b").ReplaceAllString(format(mandoc, "-Tascii", "-O", "width=200"), "")
		for _, text := range []string{"stagecraft " + command, "-C, --directory=DIR", "EXIT STATUS", "130", "interrupted"} {
			if !strings.Contains(shown, text) {
				t.Errorf("%q: missing %q", command, text)
			}
		}
	}
}
