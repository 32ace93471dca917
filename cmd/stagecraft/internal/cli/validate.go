package cli

import (
	"context"
	"path/filepath"
)

type validateCmd struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

func (validateCmd) Help() string {
	return `Nothing is run: the configuration is read and checked, then the provider is
asked whether its own part is right. All problems are shown together.

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
	if c.JSON {
		return a.printer.resultJSON(validateJSON{true, s.Config().File, s.Config().Provider})
	}
	return a.printer.result(filepath.Base(s.Config().File) + " is valid for provider " + s.Config().Provider + "\n")
}
