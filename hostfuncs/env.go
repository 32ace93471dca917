package hostfuncs

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// envStatusOp tells of the host's variables whether they are set, so that a
// provider can warn of a missing one; no value is ever told.
func envStatusOp(w *World) Op[abi.EnvStatusRequest, []string, abi.EnvStatusResult] {
	return Op[abi.EnvStatusRequest, []string, abi.EnvStatusResult]{
		Name:  abi.OpEnvStatus,
		Looks: true,
		Resolve: func(_ context.Context, q abi.EnvStatusRequest) ([]string, error) {
			if len(q.Names) == 0 {
				return nil, abi.Errorf(abi.CodeInvalid, "env_status: names is empty")
			}
			return q.Names, nil
		},
		Claim: func(names []string) capability.Claim {
			var c capability.Claim
			for _, name := range names {
				c.Env = append(c.Env, capability.EnvUse{Name: name, Use: capability.Look})
			}
			return c
		},
		Do: func(_ context.Context, names []string) (abi.EnvStatusResult, error) {
			states := make(map[string]abi.EnvState, len(names))
			for _, name := range names {
				states[name] = w.envState(name)
			}
			return abi.EnvStatusResult{States: states}, nil
		},
	}
}

func (w *World) envState(name string) abi.EnvState {
	switch value, ok := w.lookupEnv(name); {
	case !ok:
		return abi.EnvMissing
	case value == "":
		return abi.EnvEmpty
	default:
		return abi.EnvSet
	}
}
