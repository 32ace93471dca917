package exec

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/probe"
)

// probePlan is a probe exactly as it will be made.
type probePlan struct {
	addresses []string // one of them has to answer
	named     string
	port      int
	path      string
	gone      bool
	timeout   time.Duration
	while     []*started
	missing   error
}

// ProbeStep is a probe that would be made.
type ProbeStep struct {
	Address string `json:"address"`
	Path    string `json:"path,omitempty"`
	Gone    bool   `json:"gone,omitempty"`
}

// Kind implements [hostfuncs.Detail].
func (*ProbeStep) Kind() string { return "probe" }

func (r *Runner) probeOp() hostfuncs.Operation {
	return hostfuncs.Op[abi.ProbeRequest, probePlan, abi.ProbeResult]{
		Name:    abi.OpProbe,
		Resolve: r.resolveProbe,
		Claim: func(p probePlan) capability.Claim {
			return capability.Claim{Net: []capability.NetUse{{Port: p.port, Use: capability.Connect}}}
		},
		Do: r.doProbe,
		Step: func(_ context.Context, p probePlan) (hostfuncs.Detail, error) {
			return &ProbeStep{p.named, p.path, p.gone}, nil
		},
		Preview: func(p probePlan) (abi.ProbeResult, []string, error) {
			result := abi.ProbeResult{Answers: !p.gone}
			if result.Answers && p.path != "" {
				result.Status = 200
			}
			return result, []string{"whether something answers"}, nil
		},
	}
}

func (r *Runner) resolveProbe(_ context.Context, q abi.ProbeRequest) (probePlan, error) {
	p := probePlan{named: q.Address, path: q.Path, gone: q.Gone, timeout: time.Duration(q.TimeoutMS) * time.Millisecond}
	host, port, err := net.SplitHostPort(q.Address)
	if err == nil {
		p.port, err = strconv.Atoi(port)
	}
	hosts, ok := loopback(host)
	switch {
	case err != nil || p.port < 1 || p.port > 65535:
		return p, abi.Errorf(abi.CodeInvalid, "probe: %q is not an address, expected host:port", q.Address)
	case !ok:
		return p, &abi.Error{
			Code: abi.CodeInvalid, Message: "probe: " + strconv.Quote(host) + " is not this machine's loopback", Hint: "use localhost, 127.0.0.1 or ::1",
		}
	case q.Path != "" && !validPath(q.Path):
		return p, abi.Errorf(abi.CodeInvalid, "probe: %q is not a path, expected one that begins with /", q.Path)
	case q.TimeoutMS < 0:
		return p, abi.Errorf(abi.CodeInvalid, "probe: timeout_ms must not be negative")
	}
	for _, host := range hosts {
		p.addresses = append(p.addresses, net.JoinHostPort(host, strconv.Itoa(p.port)))
	}
	if len(q.While) > 0 {
		p.while, p.missing = r.started.find(abi.OpProbe, q.While)
	}
	return p, nil
}

// loopback returns the addresses of a loopback host. It looks nothing up, so that
// /etc/hosts cannot make localhost another machine.
func loopback(host string) ([]string, bool) {
	if host == "localhost" {
		return []string{"127.0.0.1", "::1"}, true
	}
	addr, err := netip.ParseAddr(host)
	return []string{host}, err == nil && addr.Zone() == "" && addr.Unmap().IsLoopback()
}

// probePause is how often a probe asks.
const probePause = 100 * time.Millisecond

// doProbe asks until the answer is as requested, the time is over, or one of the
// programs has an event. After an interrupt it continues only if gone is requested.
func (r *Runner) doProbe(ctx context.Context, p probePlan) (abi.ProbeResult, error) {
	if p.missing != nil {
		return abi.ProbeResult{}, p.missing
	}
	if p.gone {
		ctx = lingering(ctx)
	}
	over := time.After(p.timeout)
	for {
		answers, status := probe.Ask(ctx, p.addresses, p.named, p.path)
		result := abi.ProbeResult{Answers: answers, Status: status}
		changed, pending := r.started.pending(p.while)
		if result.Answers != p.gone || p.timeout == 0 || pending && len(p.while) > 0 {
			return result, nil
		}
		if len(p.while) == 0 {
			changed = nil
		}
		select {
		case <-time.After(probePause):
		case <-changed:
		case <-over:
			return result, nil
		case <-ctx.Done():
			if p.gone {
				return result, context.Cause(ctx)
			}
			return result, nil
		}
	}
}
