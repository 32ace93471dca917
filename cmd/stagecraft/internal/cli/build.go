package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type buildCmd struct {
	Tag          []string `sep:"none" placeholder:"REF" help:"Reference of the image; repeatable; default <registry>/<project name>:<commit, with -dirty for changed files, or dev>."`
	Push         bool     `help:"Also push the image to its registry."`
	Iidfile      string   `placeholder:"FILE" help:"Write the image's ID, which engines run it by, to FILE."`
	MetadataFile string   `placeholder:"FILE" help:"Write the image's names and digests to FILE, as docker buildx does."`
	Plan         string   `placeholder:"FILE" help:"Do exactly what the plan in FILE contains."`
	JSON         bool     `name:"json" help:"Print the result as JSON."`
	builderFlags
	progressFlag
	attestFlags
	recordFlags
}

func (buildCmd) Help() string {
	return `The engine that --engine, DOCKER_HOST or the current docker context names builds
the image. If no engine answers and the Dockerfile runs nothing, it is built without
one. Standard output gets only the image's reference.

Examples:
  stagecraft build
  stagecraft build --tag ghcr.io/acme/shop:1.2 --push
  stagecraft build --engine embedded --output oci:image
  docker run $(stagecraft build)`
}

// buildJSON is printed by --json; fields are only added.
type buildJSON struct {
	Image        string   `json:"image"`
	ID           string   `json:"id,omitempty"`
	Digest       string   `json:"digest,omitempty"`
	OtherDigests []string `json:"other_digests,omitempty"`
	Config       string   `json:"config,omitempty"`
	// Changed are files that restrict runs and changed during this one.
	Changed []session.ChangedFile `json:"changed,omitempty"`
}

// Run is called by kong.
func (c buildCmd) Run(ctx context.Context, a *app) error {
	if err := c.checkFiles(); err != nil {
		return err
	}
	attest, err := c.attestation(a)
	if err != nil {
		return err
	}
	var image session.Image
	err = c.recorded(ctx, a, session.CommandBuild, func(opts session.Options) (err error) {
		// Standard output is for the result only.
		opts.Stdout, opts.Own = a.Stderr, append(opts.Own, c.Plan, c.Iidfile, c.MetadataFile, c.Attest, c.AttestKey)
		opts.LoadModule = opts.LoadModule || attest != nil
		if opts.Builds, err = c.settings(a, further(c.Tag)); err != nil {
			return err
		}
		c.complete(a, &opts.Builds)
		image, err = c.build(ctx, a, opts)
		return err
	})
	if err != nil {
		return err
	}
	if err := errors.Join(c.writeFiles(image), attest.write(ctx, a, image)); err != nil {
		return err
	}
	v := buildJSON{image.Reference, image.ID, image.Digest, image.OtherDigests, image.Config, image.Changed}
	return a.printer.resultAs(c.JSON, v, image.Reference+"\n")
}

// checkFiles checks that each flag names a file of its own.
func (c buildCmd) checkFiles() error {
	named := make(map[string]string)
	for _, flag := range []struct{ name, file string }{
		{"--iidfile", c.Iidfile}, {"--metadata-file", c.MetadataFile}, {"--attest", c.Attest}, {"--sarif", c.Sarif},
	} {
		abs, err := filepath.Abs(flag.file)
		if flag.file == "" || err != nil {
			continue
		}
		if other := named[abs]; other != "" {
			return &usageError{fmt.Sprintf("%s and %s name the same file, %s", other, flag.name, flag.file), "name different files"}
		}
		named[abs] = flag.name
	}
	return nil
}

func (c buildCmd) writeFiles(image session.Image) error {
	if c.Iidfile != "" {
		if image.ID == "" {
			return fmt.Errorf("--iidfile: the provider did not return the image's ID")
		}
		if err := writeFile("--iidfile", c.Iidfile, []byte(image.ID)); err != nil {
			return err
		}
	}
	if c.MetadataFile == "" {
		return nil
	}
	// The keys are those of docker buildx.
	metadata := map[string]string{"image.name": strings.Join(append([]string{image.Reference}, image.Tags...), ",")}
	if image.Config != "" {
		metadata["containerimage.config.digest"] = image.Config
	}
	if image.Digest != "" {
		metadata["containerimage.digest"] = image.Digest
	}
	data, err := marshal(metadata, "  ")
	if err != nil {
		return err
	}
	return writeFile("--metadata-file", c.MetadataFile, data)
}

// identify returns the flags that need the image's digest.
func (c buildCmd) identify() []session.Flag {
	var flags []session.Flag
	if c.Iidfile != "" {
		flags = append(flags, session.Flag{Name: "--iidfile", Option: abi.OptionIdentify})
	}
	if c.Attest != "" {
		flags = append(flags, session.Flag{Name: "--attest", Option: abi.OptionIdentify})
	}
	return flags
}

func (c buildCmd) build(ctx context.Context, a *app, opts session.Options) (session.Image, error) {
	var plan *session.Plan
	if c.Plan != "" {
		if len(c.Tag) > 0 || c.Push {
			return session.Image{}, &usageError{"--tag and --push are taken from the plan", "leave them out, or plan again with them"}
		}
		data, err := readFile(c.Plan)
		if err != nil {
			return session.Image{}, err
		}
		if plan, err = session.ParsePlan(c.Plan, data); err != nil {
			return session.Image{}, err
		}
	}
	s, err := a.open(opts)
	if err != nil {
		return session.Image{}, err
	}
	if plan != nil {
		return s.BuildPlanned(ctx, c.Plan, plan, c.identify())
	}
	return s.Build(ctx, session.BuildOptions{Tag: first(c.Tag), Push: c.Push, Flags: c.identify()})
}
