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
	File  string   `arg:"" help:"A statement that build --attest wrote."`
	Key   []string `required:"" sep:"none" placeholder:"PUB" help:"A public key in PEM that must have signed it; repeatable."`
	Image string   `placeholder:"REF@DIGEST" help:"The image, by its digest, that it must describe."`
	JSON  bool     `name:"json" help:"Print the result as JSON."`
}

func (verifyCmd) Help() string {
	return `Verifies the signatures of a statement and, with --image, that it describes that
image. Each policy in --policy and STAGECRAFT_POLICY must have been enforced in the
build. The exit code is 1 if a check fails.

Examples:
  stagecraft verify shop.json --key pub.pem --image acme/shop@sha256:3f9a...
  stagecraft verify shop.json --key pub.pem --policy ci.policy.yml --json`
}

// verifyJSON is printed by --json; fields are only added.
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
	return a.printer.resultAs(c.JSON, v, v.text())
}

// digest returns the digest in --image, "" without the flag.
func (c verifyCmd) digest() (string, error) {
	if c.Image == "" {
		return "", nil
	}
	digest := c.Image[strings.LastIndexByte(c.Image, '@')+1:]
	if _, ok := provenance.ParseDigest(digest); !ok {
		return "", &usageError{fmt.Sprintf("--image: %q has no digest, and a tag can move", c.Image), "write REF@sha256:... or sha256:..., with 64 lower-case digits"}
	}
	return digest, nil
}

// checkPolicies checks that the build enforced each ceiling of this command. In a
// project, they must not be files of that project.
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

// text is the statement as text. Its fields are untrusted: a key can sign anything.
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
			kind := ""
			if subject.MediaType == provenance.ImageConfig {
				kind = ", its configuration"
			}
			row("also", withDigests("", subject.Digest, "")+kind)
			continue
		}
		fmt.Fprintf(&b, "verified: %s\n", withDigests(subject.Name, subject.Digest, "@"))
	}
	for _, key := range v.Keys {
		row("signed by", "the key "+key.ID+" in "+key.File)
	}
	if v.Others > 0 {
		row("", counted(v.Others, "signature")+" by other keys")
	}
	tag := build.ExternalParameters.Tag
	if build.ExternalParameters.Push {
		tag += ", pushed"
	}
	row("tag", tag)
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
		row([]string{"built from", ""}[min(i, 1)], withDigests(d.Name, d.Digest, " "))
	}
	row("image from", build.InternalParameters.ImageFrom)
	row("run", run.InvocationID)
	row("began", run.StartedOn)
	row("ended", run.FinishedOn)
	return b.String()
}

func named(f provenance.File) string { return f.Name + " sha256:" + f.SHA256 }

// withDigests is an artifact's name and digests on one line.
func withDigests(name string, digests map[string]string, separator string) string {
	text := termtext.Line(name, 1000)
	for _, algorithm := range slices.Sorted(maps.Keys(digests)) {
		text += separator + termtext.Line(algorithm+":"+digests[algorithm], 200)
	}
	return text
}
