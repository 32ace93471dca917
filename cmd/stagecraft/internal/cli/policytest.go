package cli

import (
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/policytest"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type policyTestCmd struct {
	Files []string `arg:"" name:"file" help:"Files with test cases."`
}

func (policyTestCmd) Help() string {
	return `Each case has a request, and whether a policy should allow it. Tests use nothing
else of the machine, and run nothing. The exit code is 1 if a case fails.

Example:
  stagecraft policy test policies/*.test.yml`
}

// Run is called by kong.
func (c policyTestCmd) Run(a *app) error {
	var out strings.Builder
	passed, failed := 0, 0
	for _, file := range c.Files {
		data, err := readFile(file)
		if err != nil {
			return err
		}
		suite, err := policytest.Parse(file, data)
		if err != nil {
			return err
		}
		results, err := suite.Run(func(name string) (*capability.Policy, error) {
			return session.ReadPolicy(name, capability.Project)
		})
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.Passed {
				passed++
				continue
			}
			failed++
			out.WriteString(r.Difference() + "\n")
		}
	}
	fmt.Fprintf(&out, "%d of %d cases passed\n", passed, passed+failed)
	err := a.printer.result(out.String())
	if err == nil && failed > 0 {
		err = errFindings
	}
	return err
}
