package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// behaviour is what a program does in a [world]. Times are in milliseconds after its
// start; 0 is never.
type behaviour struct {
	ready int64
	ends  int64
	code  int
	stops int64 // after it is asked to stop
}

// world is a simulated host: its clock passes only while the provider waits.
type world struct {
	does map[string][]behaviour // of each start of a program, the last one repeats
	// at are what the user does at a time.
	at map[int64]abi.ProcessWaitResult
	// fails are programs that cannot be started.
	fails map[string]*abi.Error

	now    int64
	log    []string // what happened, as "start web" or "end web"
	starts map[string]int
	run    []*simulated
	lastID int
}

type simulated struct {
	behaviour
	id, code         int
	name             string
	readyAt, endedAt int64 // 0 is never
	reports          bool  // its readiness
}

// Call implements [backend.Host].
func (w *world) Call(_ context.Context, operation string, request []byte) []byte {
	var result any
	var failed *abi.Error
	switch operation {
	case abi.OpProcessStart:
		result, failed = w.start(decode[abi.ProcessStartRequest](request))
	case abi.OpProcessStop:
		result, failed = w.stop(decode[abi.ProcessStopRequest](request))
	case abi.OpProcessWait:
		result, failed = w.wait(decode[abi.ProcessWaitRequest](request))
	case abi.OpExec:
		q := decode[abi.ExecRequest](request)
		p := w.find(func(p *simulated) bool { return q.Argv[0] == "is-ready-"+p.name })
		result = abi.ExecResult{ExitCode: 1}
		if p != nil && p.ready > 0 && w.now >= p.readyAt {
			result = abi.ExecResult{}
		}
		w.log = append(w.log, "ask "+q.Argv[0])
	case abi.OpWatch:
		q := decode[abi.WatchRequest](request)
		w.lastID++
		result, w.log = abi.WatchResult{ID: w.lastID}, append(w.log, "watch "+strings.Join(q.Paths, " "))
	case abi.OpReady:
		var names []string
		for _, p := range decode[abi.ReadyRequest](request).Processes {
			names = append(names, strings.TrimSpace(p.Name+" "+p.URL))
		}
		result, w.log = abi.Empty{}, append(w.log, "ready "+strings.Join(names, ", "))
	case abi.OpLog:
		result, w.log = abi.Empty{}, append(w.log, decode[abi.LogRequest](request).Message)
	default:
		panic("unexpected operation " + operation)
	}
	if failed != nil {
		return encode(map[string]any{"error": failed})
	}
	return encode(map[string]any{"ok": result})
}

func decode[T any](data []byte) (v T) {
	if err := json.Unmarshal(data, &v); err != nil {
		panic(err)
	}
	return v
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

func (w *world) find(is func(*simulated) bool) *simulated {
	if i := slices.IndexFunc(w.run, is); i >= 0 {
		return w.run[i]
	}
	return nil
}

func (w *world) start(q abi.ProcessStartRequest) (any, *abi.Error) {
	w.log = append(w.log, "start "+q.Name)
	if e := w.fails[q.Name]; e != nil {
		return nil, e
	}
	if !q.Ordered {
		panic("a process that the host would end")
	}
	if w.starts == nil {
		w.starts = make(map[string]int)
	}
	var b behaviour
	if all := w.does[q.Name]; len(all) > 0 {
		b = all[min(w.starts[q.Name], len(all)-1)]
	}
	w.starts[q.Name]++
	w.lastID++
	p := &simulated{behaviour: b, id: w.lastID, name: q.Name, code: b.code}
	if b.ready > 0 {
		p.readyAt = w.now + b.ready
	}
	if b.ends > 0 {
		p.endedAt = w.now + b.ends
	}
	p.reports = q.Ready != nil
	w.run = append(w.run, p)
	return abi.ProcessStartResult{ID: p.id}, nil
}

func (w *world) stop(q abi.ProcessStopRequest) (any, *abi.Error) {
	p := w.find(func(p *simulated) bool { return p.id == q.ID })
	if p == nil || !q.NoWait {
		return nil, &abi.Error{Code: abi.CodeInvalid, Message: fmt.Sprintf("stop of %d", q.ID)}
	}
	w.log = append(w.log, "stop "+p.name)
	if at := w.now + max(p.stops, 1); p.endedAt == 0 || at < p.endedAt {
		p.endedAt, p.code = at, 143
	}
	p.readyAt = 0
	return abi.ProcessExit{}, nil
}

// wait lets time pass until the first event.
func (w *world) wait(q abi.ProcessWaitRequest) (any, *abi.Error) {
	end, event := int64(1<<40), func() abi.ProcessWaitResult { panic("nothing will ever happen") }
	if q.TimeoutMS > 0 {
		end, event = w.now+q.TimeoutMS, func() abi.ProcessWaitResult { return abi.ProcessWaitResult{TimedOut: true} }
	}
	for at, result := range w.at {
		if at < end && (result.Typed == nil || len(q.Keys) > 0) {
			end, event = at, func() abi.ProcessWaitResult { delete(w.at, at); return result }
		}
	}
	for _, p := range w.run {
		if p.endedAt > 0 && p.endedAt < end {
			end, event = p.endedAt, func() abi.ProcessWaitResult {
				w.log = append(w.log, "end "+p.name)
				w.run = slices.DeleteFunc(w.run, func(other *simulated) bool { return other == p })
				return abi.ProcessWaitResult{Exited: &abi.ProcessExit{ID: p.id, ExitCode: p.code}}
			}
		}
		if p.reports && p.readyAt > 0 && p.readyAt < end {
			end, event = p.readyAt, func() abi.ProcessWaitResult {
				p.readyAt = 0
				return abi.ProcessWaitResult{Ready: &abi.ProcessReady{ID: p.id}}
			}
		}
	}
	waited := max(end-w.now, 0)
	w.now = max(end, w.now)
	result := event()
	if q.Clock {
		result.WaitedMS = waited
	}
	return result, nil
}
