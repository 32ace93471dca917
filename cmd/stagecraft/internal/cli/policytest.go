package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/policytest"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type policyTestCmd struct {
	Files []string `arg:"" name:"file" help:"Files of cases."`
}

func (policyTestCmd) Help() string {
	return `A case has a request, and whether a policy should allow it. Nothing is looked up
on the machine and nothing is run. The exit code is 1 if a case fails.

Example:
  stagecraft policy test policies/*.test.yml`
}

// errFound ends a command whose output says what was found.
var errFound = errors.New("something was found")

// Run is called by kong.
func (c policyTestCmd) Run(a *app) error {
	var out strings.Builder
	passed, failed := 0, 0
	for _, file := range c.Files {
		data, err := readLimited(file)
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
	if err := a.printer.result(out.String()); err != nil {
		return err
	}
	if failed > 0 {
		return errFound
	}
	return nil
}
