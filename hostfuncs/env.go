package hostfuncs

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// envStatusOp tells of variables whether they are set, so that a provider can
// warn of a missing one; no value is ever told.
func envStatusOp(w *World) Op[abi.EnvStatusRequest, []reference, abi.EnvStatusResult] {
	return Op[abi.EnvStatusRequest, []reference, abi.EnvStatusResult]{
		Name:    abi.OpEnvStatus,
		Looks:   true,
		Resolve: w.resolveEnvStatus,
		Claim: func(asked []reference) capability.Claim {
			var c capability.Claim
			for _, r := range asked {
				for _, f := range r.files {
					f.load(&c)
				}
				c.Env = append(c.Env, capability.EnvUse{Name: r.Env, Use: capability.Look})
			}
			return c
		},
		Do: func(_ context.Context, asked []reference) (abi.EnvStatusResult, error) {
			states := make(map[string]abi.EnvState, len(asked))
			for _, r := range asked {
				state, err := w.envState(r)
				if err != nil {
					return abi.EnvStatusResult{}, err
				}
				states[r.Env] = state
			}
			return abi.EnvStatusResult{States: states}, nil
		},
	}
}

func (w *World) resolveEnvStatus(_ context.Context, q abi.EnvStatusRequest) ([]reference, error) {
	if len(q.Names) == 0 {
		return nil, abi.Errorf(abi.CodeInvalid, "env_status: names is empty")
	}
	files, err := w.newEnvFiles().named(q.Files)
	if err != nil {
		return nil, err
	}
	asked := make([]reference, len(q.Names))
	for i, name := range q.Names {
		asked[i] = reference{abi.EnvRef(name, q.Files...), files}
	}
	return asked, nil
}
