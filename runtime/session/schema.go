package session

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/runtime/config"
)

// ConfigSchema returns the JSON Schema of stagecraft.yml, with the settings of each
// provider that is built in or trusted. It warns of the others, whose settings it does
// not check. It needs no configuration.
func ConfigSchema(ctx context.Context, opts Options) ([]byte, error) {
	opts = opts.withDefaults()
	opts.MayLoad = nil
	sources, err := Providers(opts)
	if err != nil {
		return nil, err
	}
	parts := make(map[string]json.RawMessage)
	for _, source := range sources {
		parts[source.ID] = nil
		found, err := Inspect(ctx, source, opts)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			opts.Reporter.Warn(fmt.Errorf("the schema has no settings of provider %s: %w", source.ID, err))
		case !found.Loaded:
			opts.Reporter.Warn(fmt.Errorf("the schema has no settings of provider %s, which is not trusted", source.ID))
		case len(found.About.ConfigSchema) > 0:
			parts[source.ID] = json.RawMessage(found.About.ConfigSchema)
		}
	}
	return config.Schema(parts)
}
