package embedded

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/util/system"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

var errNotLinux = errors.New("images for systems other than Linux require an engine: " + wayOut)

// builder builds one image.
type builder struct {
	ctx      context.Context
	options  Options
	plan     *dockerfile.Plan
	expander *dockerfile.Expander
	store    *store
	source   *image.Context
	platform ocispec.Platform
	time     time.Time
	until    *int64 // the latest time of a file; nil for any

	count       int // nodes of all trees
	op          int // the number of the current step
	contextTree *tree
	stages      map[*dockerfile.Stage]*stage
	bases       map[string]*base
	digests     map[string]string          // of the bases, by reference
	wanted      map[*dockerfile.Stage]bool // the stages whose layers are in the image

	step, steps int
}

func newBuilder(s *store, plan *dockerfile.Plan, source *image.Context, o Options, platform string) (*builder, error) {
	made := &builder{
		ctx: s.ctx, options: o, plan: plan, expander: plan.NewExpander(), store: s, source: source,
		stages: map[*dockerfile.Stage]*stage{}, bases: map[string]*base{}, digests: map[string]string{}, wanted: map[*dockerfile.Stage]bool{},
		time: time.Unix(0, 0).UTC(),
	}
	var err error
	if made.platform, err = platforms.Parse(platform); err != nil {
		return nil, err
	}
	if err := made.setTime(); err != nil {
		return nil, err
	}
	for s := plan.Stages[len(plan.Stages)-1]; s != nil; s = s.From {
		made.wanted[s] = true
	}
	for _, s := range plan.Stages {
		made.steps += 1 + len(s.Commands)
	}
	return made, nil
}

func (b *builder) setTime() error {
	epoch := b.options.Epoch
	if text := b.plan.Epoch; epoch == nil && text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds < 0 {
			return fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a number of seconds", text)
		}
		t := time.Unix(seconds, 0)
		epoch = &t
	}
	if epoch != nil {
		b.time = epoch.UTC().Truncate(time.Second)
		seconds := b.time.Unix()
		b.until = &seconds
	}
	return nil
}

// stepLimit bounds the text of an instruction in a step, in runes.
const stepLimit = 300

// begins reports that the next instruction begins.
func (b *builder) begins(line string) {
	b.step++
	if b.options.Step != nil {
		b.options.Step(fmt.Sprintf("[%d/%d] %s", b.step, b.steps, termtext.Line(line, stepLimit)))
	}
}

func (b *builder) run() (*Image, error) {
	var last *stage
	for _, planned := range b.plan.Stages {
		s, err := b.begin(planned)
		if err != nil {
			return nil, b.plan.Locate(err, planned.Line)
		}
		for _, c := range planned.Commands {
			if err := b.ctx.Err(); err != nil {
				return nil, err
			}
			b.begins(fmt.Sprint(c.Command))
			if err := s.run(c); err != nil {
				return nil, b.plan.Locate(err, c.Line)
			}
		}
		b.stages[planned] = s
		last = s
	}
	return last.image()
}

// nextOp returns an unused number for a step.
func (b *builder) nextOp() int {
	b.op++
	return b.op
}

// emptyConfig returns the configuration of FROM scratch.
func (b *builder) emptyConfig() dockerspec.DockerOCIImage {
	var c dockerspec.DockerOCIImage
	c.Platform = b.platform
	c.RootFS.Type = "layers"
	c.Config.WorkingDir = "/"
	c.Config.Env = []string{"PATH=" + system.DefaultPathEnvUnix}
	return c
}
