//go:build !wasip1

package backend

import "github.com/stagecraft-dev/stagecraft/guest-sdk/abi"

// Outside Wasm nothing is imported; the context's host is called by name.
var hostDockerBuild, hostDockerImage, hostEnvStatus, hostExec, hostList, hostLog, hostProbe, hostProcessStart, hostProcessStop, hostProcessWait, hostReadFile, hostReady, hostStat, hostWatch importFunc

func transport(ctx Context, operation string, _ importFunc, request []byte) ([]byte, error) {
	h, ok := ctx.Value(hostKey{}).(Host)
	if !ok {
		return nil, abi.NewError(abi.CodeUnavailable, operation+": no host: outside Wasm, put one into the context with backend.WithHost")
	}
	return h.Call(ctx, operation, request), nil
}
