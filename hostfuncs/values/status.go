package values

import (
	"context"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// Operations is env_status. It reports whether variables are set, so that a
// provider can warn of a missing one. It never reports a value.
func (e *Environment) Operations() []hostfuncs.Operation {
	return []hostfuncs.Operation{hostfuncs.Op[abi.EnvStatusRequest, []Reference, abi.EnvStatusResult]{
		Name: abi.OpEnvStatus, Resolve: e.resolveStatus, Claim: claimStatus, Do: e.status, Looks: true,
	}}
}

func (e *Environment) resolveStatus(_ context.Context, q abi.EnvStatusRequest) ([]Reference, error) {
	if len(q.Names) == 0 {
		return nil, abi.Errorf(abi.CodeInvalid, "env_status: names is empty")
	}
	files, err := e.Request().Files(q.Files)
	if err != nil {
		return nil, err
	}
	asked := make([]Reference, len(q.Names))
	for i, name := range q.Names {
		asked[i] = Reference{abi.EnvRef(name, q.Files...), files}
	}
	return asked, nil
}

func claimStatus(asked []Reference) capability.Claim {
	var c capability.Claim
	for _, r := range asked {
		for _, f := range r.files {
			f.Claim(&c)
		}
		c.Env = append(c.Env, capability.EnvUse{Name: r.Env, Use: capability.Look})
	}
	return c
}

func (e *Environment) status(_ context.Context, asked []Reference) (abi.EnvStatusResult, error) {
	states := make(map[string]abi.EnvState, len(asked))
	for _, r := range asked {
		text, ok, err := e.Find(r)
		switch {
		case err != nil:
			return abi.EnvStatusResult{}, err
		case !ok:
			states[r.Env] = abi.EnvMissing
		case strings.Trim(text, "\r\n") == "":
			states[r.Env] = abi.EnvEmpty
		default:
			states[r.Env] = abi.EnvSet
		}
	}
	return abi.EnvStatusResult{States: states}, nil
}
