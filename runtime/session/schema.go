package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// ConfigSchema returns the JSON Schema of stagecraft.yml, with the settings of each
// provider that is built in or trusted. It warns of the others, whose settings it does
// not check. It needs no configuration.
func ConfigSchema(ctx context.Context, opts Options) ([]byte, error) {
	opts = opts.withDefaults()
	return configSchema(ctx, opts, opts.Reporter.Warn)
}

func configSchema(ctx context.Context, opts Options, warn func(error)) ([]byte, error) {
	opts.MayLoad = nil
	sources, err := Providers(opts)
	if err != nil {
		return nil, err
	}
	parts := make(map[string]json.RawMessage)
	for _, source := range sources {
		parts[source.ID] = nil
		found, err := Inspect(ctx, source, opts)
		if err == nil {
			err = usableSchema(ctx, found, opts)
		}
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			warn(fmt.Errorf("the schema has no settings of provider %s: %w", source.ID, err))
		case !found.Loaded:
			warn(fmt.Errorf("the schema has no settings of provider %s, which is not trusted", source.ID))
		case backend.HasSchema(found.About):
			parts[source.ID] = json.RawMessage(found.About.ConfigSchema)
		}
	}
	return config.Schema(parts)
}

// usableSchema returns an error if the schema of an inspected provider cannot be used.
func usableSchema(ctx context.Context, found Inspection, opts Options) error {
	err := backend.CheckConfig(ctx, found.About, []byte("{}"), checker(found.Digest, opts))
	if _, ok := errors.AsType[*abi.Error](err); ok {
		return nil // about the empty configuration
	}
	return err
}

// checker checks values for the provider with a digest.
func checker(digest string, opts Options) backend.Checker {
	return func(ctx context.Context, schema, value []byte, texts []string) ([]byte, error) {
		return sandbox.CheckValue(ctx, schema, value, texts, processOptions(digest, opts))
	}
}
