package backend

import (
	"encoding/json"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// People are shown everything that a provider asks for, uncut, before they trust it.
// These limits keep the list readable.
const (
	maxAsks = 256 // things
	maxAsk  = 600 // bytes of one of them, as JSON
)

func checkAsks(about abi.Description) error {
	if len(about.TextFrom) > maxAsks {
		return fmt.Errorf("text_from has %d pointers, the limit is %d", len(about.TextFrom), maxAsks)
	}
	c := about.Capabilities
	asks := each(nil, c.Exec)
	for _, build := range c.Build {
		asks = each(asks, build.Args)
		build.Args = nil // shown one by one
		asks = append(asks, build)
	}
	for _, texts := range [][]string{c.Files, c.FilesFrom, c.Env, c.EnvFrom, c.EnvFilesFrom, c.EnvPass, c.EnvSecret, c.ConnectFrom, c.Images} {
		asks = each(asks, texts)
	}
	asks = each(asks, c.Daemons)
	if asks = each(asks, c.Connect); len(asks) > maxAsks {
		return fmt.Errorf("it asks for %d things, the limit is %d", len(asks), maxAsks)
	}
	for _, ask := range asks {
		data, err := json.Marshal(ask)
		if err != nil {
			return err
		}
		if len(data) > maxAsk {
			return fmt.Errorf("one of its asks has %d bytes, the limit is %d", len(data), maxAsk)
		}
	}
	return nil
}

func each[T any](asks []any, list []T) []any {
	for _, ask := range list {
		asks = append(asks, ask)
	}
	return asks
}
