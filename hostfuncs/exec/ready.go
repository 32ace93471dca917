package exec

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/probe"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// readiness is the condition under which a started program is ready. The zero value is
// none.
type readiness struct {
	port   int // 0 for none
	path   string
	status int // 0 for any below 500
	log    *regexp.Regexp
}

func parseReady(q *abi.Ready) (r readiness, err error) {
	if q == nil {
		return r, nil
	}
	set := 0
	if q.TCP != 0 {
		set, r.port = set+1, q.TCP
	}
	if q.Log != "" {
		set++
		if len(q.Log) > abi.MaxReadyLog {
			return r, abi.Errorf(abi.CodeTooLarge, "process_start: ready.log has %d bytes, the limit is %d", len(q.Log), abi.MaxReadyLog)
		}
		if r.log, err = regexp.Compile(q.Log); err != nil {
			return r, hostfuncs.OfField("ready.log", abi.Errorf(abi.CodeInvalid, "%v", err))
		}
	}
	if h := q.HTTP; h != nil {
		set, r.port, r.path, r.status = set+1, h.Port, h.Path, h.Status
		if r.path == "" {
			r.path = "/"
		}
		if !validPath(r.path) {
			return r, hostfuncs.OfField("ready.http.path", abi.Errorf(abi.CodeInvalid, "%q is not a path, expected one that begins with /", r.path))
		}
		if r.status != 0 && (r.status < 100 || r.status > 599) {
			return r, hostfuncs.OfField("ready.http.status", abi.Errorf(abi.CodeInvalid, "%d is not an HTTP status", r.status))
		}
	}
	switch {
	case set != 1:
		return r, hostfuncs.OfField("ready", abi.Errorf(abi.CodeInvalid, "process_start: ready has one of tcp, http and log"))
	case r.log == nil && (r.port < 1 || r.port > 65535):
		return r, hostfuncs.OfField("ready", abi.Errorf(abi.CodeInvalid, "%d is not a port", r.port))
	}
	return r, nil
}

func validPath(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// claim adds the right to connect to the port.
func (r readiness) claim(c *capability.Claim) {
	if r.port != 0 {
		c.Net = append(c.Net, capability.NetUse{Port: r.port, Use: capability.Connect})
	}
}

// String is the condition in words; it is empty if there is none.
func (r readiness) String() string {
	switch {
	case r.log != nil:
		return "output that matches " + r.log.String()
	case r.path != "" && r.status != 0:
		return fmt.Sprintf("status %d at http://localhost:%d%s", r.status, r.port, r.path)
	case r.path != "":
		return fmt.Sprintf("an answer at http://localhost:%d%s", r.port, r.path)
	case r.port != 0:
		return fmt.Sprintf("a connection to port %d", r.port)
	}
	return ""
}

// met asks once whether the port answers as required.
func (r readiness) met(ctx context.Context) bool {
	port := strconv.Itoa(r.port)
	hosts, _ := loopback("localhost")
	var addresses []string
	for _, host := range hosts {
		addresses = append(addresses, net.JoinHostPort(host, port))
	}
	answers, status := probe.Ask(ctx, addresses, net.JoinHostPort("localhost", port), r.path)
	if r.status != 0 {
		return status == r.status
	}
	return answers
}

// awaitReady asks until the port answers or ctx is done. ctx ends with the program.
func (r *Runner) awaitReady(ctx context.Context, s *started, until readiness) {
	tick := time.NewTicker(probePause)
	defer tick.Stop()
	for !until.met(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	r.started.update(func() { s.ready = true })
}

// checkFree refuses a port at which something else answers: the program would count as
// ready at once.
func (r readiness) checkFree(ctx context.Context) error {
	if r.port == 0 || !(readiness{port: r.port}).met(ctx) {
		return nil
	}
	return &abi.Error{
		Code: abi.CodeFailed, Message: fmt.Sprintf("something already answers at localhost:%d", r.port),
		Hint: "end it, or use another port",
	}
}

// maxURL bounds a URL in the ready message, in bytes.
const maxURL = 2000

// readyPlan is what the user is told, exactly, and which URL is opened.
type readyPlan struct {
	processes []abi.ReadyProcess
	open      string // the URL, empty for none
	port      int    // of open
}

// readyOp is ready. To show a message needs no right. To open a URL needs the right to
// connect to its port: a browser requests what the provider names.
func (r *Runner) readyOp() hostfuncs.Operation {
	return hostfuncs.Op[abi.ReadyRequest, readyPlan, abi.Empty]{
		Name: abi.OpReady, Looks: true, Resolve: r.resolveReady,
		Claim: func(p readyPlan) capability.Claim {
			c := capability.Claim{Log: true}
			if p.open != "" {
				c.Net = []capability.NetUse{{Port: p.port, Use: capability.Connect}}
			}
			return c
		},
		Do: func(_ context.Context, p readyPlan) (abi.Empty, error) {
			if r.told {
				return abi.Empty{}, abi.Errorf(abi.CodeInvalid, "ready: the user was told already")
			}
			r.told = true
			r.opts.Ready(p.processes, p.open)
			return abi.Empty{}, nil
		},
	}
}

func (r *Runner) resolveReady(_ context.Context, q abi.ReadyRequest) (readyPlan, error) {
	plan := readyPlan{processes: q.Processes}
	if len(q.Processes) == 0 || len(q.Processes) > abi.MaxProcesses {
		return plan, abi.Errorf(abi.CodeInvalid, "ready: expected 1 to %d processes, got %d", abi.MaxProcesses, len(q.Processes))
	}
	first := r.opts.Opens
	for i := range q.Processes {
		p := &q.Processes[i]
		p.Name = termtext.Line(p.Name, maxName)
		if p.URL == "" {
			continue
		}
		at, err := url.Parse(p.URL)
		if err != nil || termtext.Line(p.URL, maxURL) != p.URL || at.Host == "" || at.User != nil || at.Scheme != "http" && at.Scheme != "https" {
			return plan, abi.Errorf(abi.CodeInvalid, "ready: %q is not a URL, expected http://HOST or https://HOST", termtext.Line(p.URL, maxURL))
		}
		if first && isLocal(at.Hostname()) {
			plan.open, plan.port = p.URL, asks.PortOf(at)
		}
		first = false
	}
	return plan, nil
}

// isLocal reports whether a host is this machine. A provider could give data away in a URL
// of another one.
func isLocal(host string) bool {
	_, local := loopback(host)
	return local || strings.HasSuffix(host, ".localhost")
}
