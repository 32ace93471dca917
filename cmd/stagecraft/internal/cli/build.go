package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type buildCmd struct {
	Tag     string `placeholder:"REF" help:"Reference of the image; default <registry>/<project name>:<commit, or dev>."`
	Push    bool   `help:"Send the image to its registry as well."`
	Iidfile string `placeholder:"FILE" help:"Write the image's ID to FILE."`
	JSON    bool   `name:"json" help:"Print the result as JSON."`
}

func (buildCmd) Help() string {
	return `The image is built by the engine that DOCKER_HOST or the current docker context
names. Its reference alone is printed on standard output.

Examples:
  stagecraft build
  stagecraft build --tag ghcr.io/acme/shop:1.2 --push
  docker run $(stagecraft build)`
}

// buildJSON is what --json prints; fields are only ever added.
type buildJSON struct {
	Image  string `json:"image"`
	ID     string `json:"id,omitempty"`
	Digest string `json:"digest,omitempty"`
}

// Run is called by kong.
func (c buildCmd) Run(ctx context.Context, a *app) error {
	s, err := session.Open(a.options())
	if err != nil {
		return err
	}
	image, err := s.Build(ctx, session.BuildOptions{Tag: c.Tag, Push: c.Push})
	if err != nil {
		return err
	}
	if c.Iidfile != "" {
		if image.ID == "" {
			return fmt.Errorf("--iidfile: the provider did not say which image it built")
		}
		if err := writeWhole(c.Iidfile, []byte(image.ID)); err != nil {
			return fmt.Errorf("--iidfile: %w", err)
		}
	}
	if c.JSON {
		return a.printer.resultJSON(buildJSON{image.Reference, image.ID, image.Digest})
	}
	return a.printer.result(image.Reference + "\n")
}

// writeWhole writes a file so that it is there whole or not at all.
func writeWhole(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".stagecraft-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
