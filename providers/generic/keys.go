package main

import (
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

const (
	keyRestart = "r"
	keyStates  = "s"
	keyQuit    = "q"
)

// keys are what the user can type.
func (s *supervisor) keys() []abi.Key {
	if s.ending {
		return nil
	}
	return []abi.Key{
		{Key: keyRestart, Argument: "NAME", Help: "restarts the process NAME"},
		{Key: keyStates, Help: "shows the state of each process"},
		{Key: keyQuit, Help: "ends all processes in order"},
	}
}

func (s *supervisor) typed(ctx backend.Context, typed *abi.TypedKey) {
	switch typed.Key {
	case keyQuit:
		s.end(nil)
	case keyStates:
		backend.Log(ctx, abi.LevelInfo, s.states())
	case keyRestart:
		p := s.find(typed.Argument)
		switch {
		case p == nil:
			backend.Log(ctx, abi.LevelWarn, "unknown process "+strconv.Quote(typed.Argument)+": expected one of "+strings.Join(s.names(), ", "))
		case p.state == waiting:
			backend.Log(ctx, abi.LevelWarn, p.name+" has not started yet")
		default:
			s.restart(ctx, p)
		}
	}
}

func (s *supervisor) names() []string {
	var names []string
	for _, p := range s.all {
		names = append(names, p.name)
	}
	return names
}

// states is a line for each process.
func (s *supervisor) states() string {
	lines := []string{"processes:"}
	for _, p := range s.all {
		line := "  " + p.name + strings.Repeat(" ", maxName-len(p.name)) + " " + stateWords[p.state]
		if p.restarts > 0 {
			line += ", restarted " + strconv.Itoa(p.restarts) + " times"
		}
		if p.URL != "" {
			line += ", " + p.URL
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
