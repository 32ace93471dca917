package buildkit

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// failure converts an error of a builder.
func (b *Builder) failure(what image.Build, err error, w *watch) error {
	if grpcerrors.Code(err) == codes.Unavailable {
		return &UnavailableError{At: b.at, Lost: true, Err: reason(err)}
	}
	failed := &image.Error{Message: reason(err).Error(), Line: line(err)}
	if strings.HasSuffix(failed.Message, "no space left on device") {
		failed.Message += "; that is the disk of the builder at " + b.at
	}
	failed.Step, failed.Log = w.last()
	if failed.Line == 0 {
		failed.Line = lineOf(what.Text, failed)
	}
	return failed
}

var parseLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`parse error (?:on )?line (\d+): `) })

// lineOf finds the line for builders that do not report it: those before version
// 0.9, and so engines before 23.0.
func lineOf(text []byte, failed *image.Error) int {
	if m := parseLine().FindStringSubmatch(failed.Message); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return dockerfile.StepLine(text, failed.Step)
}

// line returns the line of the Dockerfile in an error.
func line(err error) int {
	for _, source := range errdefs.Sources(err) {
		for _, at := range source.Ranges {
			if at.Start != nil && at.Start.Line > 0 {
				return int(at.Start.Line)
			}
		}
	}
	return 0
}

// wrapping matches prefixes that other layers add to an error.
var wrapping = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(failed to solve(?: with frontend [\w.]+)?|failed to (?:receive status|list workers)|rpc error: code = \w+ desc =|Unavailable|ResourceExhausted|failed to create LLB definition|process "[^"]*" did not complete successfully|executor failed running \[.*?\]):? `)
})

// quoted matches an error that quotes another one.
var quoted = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^connection error: desc = "(.*)"$`) })

// hops matches such text within an error, one for each process that passed it on.
var hops = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`rpc error: code = \w+ desc = `) })

// reason returns a builder's error, safe to print and without prefixes.
func reason(err error) error {
	text := err.Error()
	if s, ok := status.FromError(err); ok && s.Message() != "" {
		text = s.Message()
	}
	text = strings.TrimSpace(termtext.Clean(text))
	text = strings.ReplaceAll(hops().ReplaceAllString(text, ""), "\n", " ")
	for {
		shorter := wrapping().ReplaceAllString(text, "")
		if m := quoted().FindStringSubmatch(shorter); m != nil {
			shorter = strings.TrimPrefix(strings.ReplaceAll(m[1], `\"`, `"`), "transport: ")
		}
		if shorter == text || shorter == "" {
			return errors.New(text)
		}
		text = shorter
	}
}
