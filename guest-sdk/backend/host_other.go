//go:build !wasip1

package backend

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

type hostKey struct{}

// WithHost returns a context whose operations go to h. It is for tests outside Wasm: in
// a module, operations always go to the module's host.
func WithHost(ctx context.Context, h Host) context.Context {
	return context.WithValue(ctx, hostKey{}, h)
}

// Outside Wasm nothing is imported; the context's host is called by name.
var hostDockerBuild, hostDockerImage, hostEnvStatus, hostExec, hostList, hostLog, hostProbe, hostProcessStart, hostProcessStop, hostProcessWait, hostReadFile, hostStat importFunc

func transport(ctx Context, operation string, _ importFunc, request []byte) ([]byte, error) {
	h, ok := ctx.Value(hostKey{}).(Host)
	if !ok {
		return nil, abi.NewError(abi.CodeUnavailable, operation+": no host: outside Wasm, put one into the context with backend.WithHost")
	}
	return h.Call(ctx, operation, request), nil
}
