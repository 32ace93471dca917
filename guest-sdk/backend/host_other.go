//go:build !wasip1

package backend

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// Outside Wasm nothing is imported; the context's host is called by name.
var hostDockerBuild, hostDockerImage, hostEnvStatus, hostExec, hostList, hostLog, hostProbe, hostProcessStart, hostProcessStop, hostProcessWait, hostReadFile, hostStat importFunc

func transport(ctx context.Context, operation string, _ importFunc, request []byte) ([]byte, error) {
	h, ok := ctx.Value(hostKey{}).(Host)
	if !ok {
		return nil, abi.Errorf(abi.CodeUnavailable, "%s: no host: outside Wasm, put one into the context with backend.WithHost", operation)
	}
	return h.Call(ctx, operation, request), nil
}
