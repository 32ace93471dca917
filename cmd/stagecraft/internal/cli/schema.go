package cli

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/policytest"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type schemaCmd struct {
	Format string `arg:"" enum:"config,policy,lock,policy-test,audit" help:"config, policy, lock, policy-test or audit."`
}

func (schemaCmd) Help() string {
	return `Editors check and complete a file by its schema:
  config        stagecraft.yml, with the settings of each provider that is built in or
                trusted
  policy        stagecraft.policy.yml, and ceilings
  lock          stagecraft.lock
  policy-test   the files of "stagecraft policy test"
  audit         a line of an audit log

Examples:
  stagecraft schema config >.stagecraft/config.schema.json
  stagecraft schema policy`
}

// Run is called by kong.
func (c schemaCmd) Run(ctx context.Context, a *app) (err error) {
	data := map[string][]byte{"policy": capability.Schema, "lock": lock.Schema, "policy-test": policytest.Schema, "audit": audit.Schema}[c.Format]
	if c.Format == "config" {
		if data, err = session.ConfigSchema(ctx, a.options()); err != nil {
			return err
		}
	}
	return a.printer.result(string(data))
}
