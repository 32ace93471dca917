// Package observe has what Extism's SDK for Go names of github.com/dylibso/observe-sdk/go,
// which traces the calls of a plug-in. The helper never asks for traces, and go.work puts
// this package in the place of that one, since that one needs OpenTelemetry and protocol
// buffers: a fifth of the helper.
package observe

import (
	"context"
	"errors"

	"github.com/tetratelabs/wazero"
)

// AdapterBase would collect traces. Without a pointer to one, the SDK does not trace.
type AdapterBase struct{}

// Options would say what is traced.
type Options struct{}

// TraceCtx would be the trace of a plug-in.
type TraceCtx struct{}

// NewTraceCtx returns an error.
func (*AdapterBase) NewTraceCtx(context.Context, wazero.Runtime, []byte, *Options) (*TraceCtx, error) {
	return nil, errors.New("tracing is not built in")
}

// Finish does nothing.
func (*TraceCtx) Finish() {}
