package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

const (
	// checkFor is the processor time in which a schema is evaluated, and checkSpace the
	// address space. Those of the built-in providers take a few milliseconds.
	checkFor   = 2 * time.Second
	checkSpace = 512 << 20
)

// CheckValue checks a value by a JSON Schema, in a process of its own. texts are JSON
// pointers to values that are text. It returns a reply of the ABI: an error with the
// problems of the value, or without problems if the schema cannot be used.
//
// # Errors
//
// A [*LimitError] or a [*CrashError] of the process, and the cause of ctx when it is done.
func CheckValue(ctx context.Context, schema, value []byte, texts []string, opts Options) (reply []byte, err error) {
	body, err := json.Marshal(frame.CheckBody{Schema: abi.JSON(schema), Value: abi.JSON(value), Texts: texts})
	if err != nil {
		return nil, err
	}
	m := &Module{log: new(logLines), compiled: true}
	l := launch{name: frame.SchemaName, space: checkSpace}
	if dir, unusable := cacheDir(opts.CacheDir, opts.Digest, nil); unusable == nil && dir != "" {
		l.copies = filepath.Dir(dir)
	}
	if m.process, err = startProcess(opts.Helper, l); err != nil {
		return nil, errors.New("starting the process for a provider's schema: " + err.Error())
	}
	cpu := &LimitError{What: "computing time", Limit: checkFor.String()}
	m.process.bound(checkFor, cpu, &LimitError{What: "process memory", Limit: size(checkSpace)})
	meter := startMeter(&meter{process: m.process, limit: checkFor, reached: cpu})
	err = m.guarded(ctx, func() error {
		defer meter.stop()
		if err := m.send(frame.Check, body); err != nil {
			return err
		}
		got, err := m.receive(frame.Reply)
		reply = got.body
		return err
	})
	return reply, errors.Join(err, m.Close(ctx))
}
