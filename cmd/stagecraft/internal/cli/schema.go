package cli

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type schemaCmd struct {
	Format string `arg:"" enum:"config" help:"config."`
}

func (schemaCmd) Help() string {
	return `Editors check and complete a file by its schema. config is stagecraft.yml, with the
settings of each provider that is built in or trusted.

Examples:
  stagecraft schema config >.stagecraft/config.schema.json`
}

// Run is called by kong.
func (c schemaCmd) Run(ctx context.Context, a *app) error {
	data, err := session.ConfigSchema(ctx, a.options())
	if err != nil {
		return err
	}
	return a.printer.result(string(data))
}
