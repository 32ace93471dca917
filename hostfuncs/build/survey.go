package build

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
)

// Survey is what a Docker engine or a BuildKit daemon says of itself.
type Survey struct {
	// Address is without a password. From is the setting that names it, and Default
	// says that none does.
	Address, From string
	Default       bool
	// Name and BuildKit are versions, such as Docker 29.1.0 (API 1.52) and v0.26.1.
	// BuildKit is empty for an engine without it.
	Name, BuildKit string
	// Ahead is how far its clock is ahead of ours, if HasClock.
	Ahead    time.Duration
	HasClock bool
	// Err says why it cannot be used, and Hint what to do.
	Err  error
	Hint string
}

// surveyLimit is how long an engine has for each answer about itself.
const surveyLimit = 5 * time.Second

// SurveyDocker asks the Docker engine that the user's environment names. It takes at
// most four times 5 seconds.
func SurveyDocker(ctx context.Context, getenv func(string) string) Survey {
	e, err := docker.Connect(ctx, getenv)
	if err != nil {
		s := Survey{Err: err}
		if none, ok := errors.AsType[*docker.UnavailableError](err); ok {
			s = Survey{Address: withoutPassword(none.Host), From: none.From, Hint: none.Hint}
			// The client's errors have the address.
			s.Err = errors.New(strings.ReplaceAll(none.Err.Error(), none.Host, s.Address))
		}
		s.Default = s.From == docker.Default
		return s
	}
	defer e.Close()
	s := Survey{Address: withoutPassword(e.Address()), From: e.From(), Default: e.From() == docker.Default}
	asking, stop := context.WithTimeoutCause(ctx, 3*surveyLimit, errors.New("no answer in time"))
	defer stop()
	if s.Name, err = e.Describe(asking); err != nil {
		s.Err = err
		return s
	}
	s.clock(asking, e)
	b, err := (&dockerEngine{Engine: e}).buildKit(asking)
	switch {
	case err != nil:
		s.Err = err
	case b != nil:
		s.BuildKit = b.Version()
		b.Close()
	}
	return s
}

// clock compares the engine's clock with ours, if the engine tells the time.
func (s *Survey) clock(ctx context.Context, e *docker.Engine) {
	before := time.Now()
	at, err := e.Time(ctx)
	if after := time.Now(); err == nil {
		s.Ahead, s.HasClock = at.Sub(before.Add(after.Sub(before)/2)), true
	}
}

// SurveyDaemon asks the BuildKit daemon of an engine of that kind.
func SurveyDaemon(ctx context.Context, which Engine) Survey {
	s := Survey{Address: which.Address}
	d, err := engines{}.daemon(ctx, which)
	if err != nil {
		s.Err = err
		if none, ok := errors.AsType[*buildkit.UnavailableError](err); ok {
			s.Err = none.Err
		}
		return s
	}
	defer d.Close()
	s.BuildKit = d.Version()
	return s
}

// withoutPassword removes the user and the password of an address.
func withoutPassword(address string) string {
	at, err := url.Parse(address)
	if err != nil {
		scheme, _, _ := strings.Cut(address, "://")
		return scheme + "://..."
	}
	at.User = nil
	return at.String()
}
