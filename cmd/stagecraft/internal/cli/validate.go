package cli

import (
	"context"
	"path/filepath"
)

type validateCmd struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

func (validateCmd) Help() string {
	return `Checks the configuration, then asks the provider to check its own part. All problems
are shown together. Nothing runs.

Examples:
  stagecraft validate
  stagecraft validate -c deploy/stagecraft.yml --json`
}

type validateJSON struct {
	Valid    bool   `json:"valid"`
	File     string `json:"file"`
	Provider string `json:"provider"`
}

// Run is called by kong.
func (c validateCmd) Run(ctx context.Context, a *app) error {
	s, err := a.open(a.options())
	if err != nil {
		return err
	}
	if err := s.Validate(ctx); err != nil {
		return err
	}
	v := validateJSON{true, s.Config().File, s.Config().Provider}
	return a.printer.resultAs(c.JSON, v, filepath.Base(v.File)+" is valid for provider "+v.Provider+"\n")
}
