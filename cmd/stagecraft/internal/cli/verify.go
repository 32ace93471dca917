package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type verifyCmd struct {
	File  string   `arg:"" help:"What build --attest wrote."`
	Key   []string `required:"" sep:"none" placeholder:"PUB" help:"A public key in PEM, which has to have signed it; repeatable."`
	Image string   `placeholder:"REF@DIGEST" help:"The image, by its digest, that it has to be of."`
	JSON  bool     `name:"json" help:"Print the result as JSON."`
}

func (verifyCmd) Help() string {
	return `Checks who signed a statement of what an image was built from, and with --image
that it is of that image. Each policy in --policy and STAGECRAFT_POLICY has to
have been in force. The exit code is 1 if something is not so.

Examples:
  stagecraft verify shop.json --key pub.pem --image acme/shop@sha256:3f9a...
  stagecraft verify shop.json --key pub.pem --policy ci.policy.yml --json`
}

// verifyJSON is what --json prints; fields are only ever added.
type verifyJSON struct {
	Keys      []verifyKey          `json:"keys"`
	Others    int                  `json:"other_signatures"`
	Statement provenance.Statement `json:"statement"`
}

type verifyKey struct {
	File string `json:"file"`
	ID   string `json:"id"`
}

// Run is called by kong.
func (c verifyCmd) Run(ctx context.Context, a *app) error {
	digest, err := c.digest()
	if err != nil {
		return err
	}
	v := verifyJSON{}
	var keys []provenance.Verifier
	for _, file := range c.Key {
		key, err := readKey(file, provenance.ParsePublicKey)
		if err != nil {
			return err
		}
		keys, v.Keys = append(keys, key), append(v.Keys, verifyKey{file, key.ID()})
	}
	data, err := config.ReadRegular(c.File, provenance.MaxBytes+1)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	found, err := provenance.Verify(ctx, data, keys...)
	if err == nil && digest != "" {
		err = found.CheckImage(digest)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if err := c.checkPolicies(a, found); err != nil {
		return err
	}
	v.Others, v.Statement = found.Others, found.Statement
	if c.JSON {
		return a.printer.resultJSON(v)
	}
	return a.printer.result(v.text())
}

// digest is what --image has, "" without it.
func (c verifyCmd) digest() (string, error) {
	if c.Image == "" {
		return "", nil
	}
	digest := c.Image[strings.LastIndexByte(c.Image, '@')+1:]
	if _, ok := provenance.ParseDigest(digest); !ok {
		return "", &usageError{fmt.Sprintf("--image: %q has no digest: what a tag is of can change", c.Image), "give it as REF@sha256:... or sha256:..., with 64 digits in lower case"}
	}
	return digest, nil
}

// checkPolicies wants each policy that this command is given to have held the
// build as well. Where it is run in a project, they are not that project's.
func (c verifyCmd) checkPolicies(a *app, found *provenance.Verified) error {
	if len(a.ceilings) == 0 {
		return nil
	}
	opts := a.options()
	root, err := session.ProjectRoot(opts)
	if _, none := errors.AsType[*config.NotFoundError](err); err != nil && !none {
		return err
	}
	policies, err := session.ReadCeilings(opts, root)
	if err != nil {
		return err
	}
	for i, policy := range policies {
		if err := found.CheckPolicy(a.ceilings[i].Path, policy.Digest); err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
	}
	return nil
}

// text is a statement for people. Whoever has a key may have signed anything.
func (v verifyJSON) text() string {
	build, run := v.Statement.Predicate.BuildDefinition, v.Statement.Predicate.RunDetails.Metadata
	var b strings.Builder
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-12s %s\n", name, termtext.Line(text, 1000))
		}
	}
	for i, subject := range v.Statement.Subject {
		if i > 0 && subject.Name == "" {
			row("also", described("", subject.Digest, "")+aside(subject.MediaType))
			continue
		}
		fmt.Fprintf(&b, "good: %s\n", described(subject.Name, subject.Digest, "@"))
	}
	for _, key := range v.Keys {
		row("signed by", "the key "+key.ID+" in "+key.File)
	}
	if v.Others > 0 {
		row("", counted(v.Others, "other signature")+" by no key that was given")
	}
	row("asked for", asked(build.ExternalParameters))
	row("config", named(build.ExternalParameters.Config))
	for i, p := range build.InternalParameters.Policies {
		row([]string{"policies", ""}[min(i, 1)], p.Layer+" "+named(p.File))
	}
	if len(build.InternalParameters.Policies) == 0 {
		row("policies", "none")
	}
	if plan := build.InternalParameters.Plan; plan != nil {
		row("plan", named(*plan))
	}
	for i, d := range build.ResolvedDependencies {
		row([]string{"built from", ""}[min(i, 1)], described(d.Name, d.Digest, " "))
	}
	row("image from", build.InternalParameters.ImageFrom)
	row("run", run.InvocationID)
	row("began", run.StartedOn)
	row("ended", run.FinishedOn)
	return b.String()
}

func asked(x provenance.External) string {
	if x.Push {
		return x.Tag + ", pushed"
	}
	return x.Tag
}

// aside is what a subject is that has no name of its own.
func aside(mediaType string) string {
	if mediaType == provenance.ImageConfig {
		return ", its configuration"
	}
	return ""
}

func named(f provenance.File) string { return f.Name + " sha256:" + f.SHA256 }

// described is an artifact with its digests, on one line.
func described(name string, digests map[string]string, between string) string {
	said := termtext.Line(name, 1000)
	for _, algorithm := range slices.Sorted(maps.Keys(digests)) {
		said += between + termtext.Line(algorithm+":"+digests[algorithm], 200)
	}
	return said
}
