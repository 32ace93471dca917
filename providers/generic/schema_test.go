package main

import (
	"context"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backendtest"
	"github.com/stagecraft-dev/stagecraft/internal/schematest"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// validate gives the provider what the host does: values that are text as they are
// written.
func validate(text string) error {
	root, err := yamldoc.Parse("config", []byte(text))
	if err != nil {
		return err
	}
	var texts []*yamldoc.Node
	for _, pointer := range new(Provider).Describe().TextFrom {
		if n := root.At(pointer); n != nil {
			texts = append(texts, n)
		}
	}
	ctx := backend.WithHost(context.Background(), new(backendtest.Host))
	return new(Provider).Validate(ctx, abi.ValidateOptions{Config: abi.JSON(root.JSON(texts...))})
}

const outside = "a path that leaves the project is known once . and .. are resolved"

func TestSchemaAgrees(t *testing.T) {
	c := schematest.Corpus{
		Accepted: []string{
			`{dev: {command: [npm, run, dev], workdir: ./a, env: {A: b, PORT: 4000, DEBUG: true, EMPTY: ""}, interactive: true}}`,
			`{dev: {command: [a, ""], env: }}`, `{build: {}}`, `{build: {args: , labels: , secrets: , platforms: , cache_from: , cache_to: , network: ""}}`,
			`{build: {dockerfile: a/D, context: ., target: x, args: {V: 1.2}, labels: {a.b/c: d}, platforms: [linux/amd64], secrets: {npm: {env: T, files: [.env]}, a.b-c_D: {env: T, files: }}, cache_from: [a], cache_to: [b], network: none}}`,
		},
		Rejected: []string{
			`[]`, `{dev: }`, `{dev: {}}`, `{dev: {command: }}`, `{dev: {command: [a], workdir: }}`, `{dev: {command: [a, 1]}}`, `{dev: {command: [a], env: {A: }}}`,
			`{dev: {command: [a], env: [A=b]}}`, `{dev: {command: [a], interactive: "yes"}}`, `{build: }`, `{build: {args: {"": a}}}`, `{build: {labels: {"a\nb": a}}}`,
			`{build: {secrets: {npm: }}}`, `{build: {secrets: {npm: {env: ""}}}}`, `{build: {cache_from: [""]}}`, `{build: {network: hosts}}`, `{devs: {}}`,
		},
		Unsaid: map[string]string{
			`{}`: "build needs no settings",
			`{dev: {command: [a], workdir: a/../..}}`:               outside,
			`{dev: {command: [a], workdir: /a}}`:                    outside,
			`{build: {context: ..}}`:                                outside,
			`{build: {dockerfile: /D}}`:                             outside,
			`{build: {secrets: {npm: {env: T, files: [../.env]}}}}`: outside,
			`{"dev":{"command":["a"],"workdir":"../x"},"build":{"context":"/","dockerfile":"a/../../b"}}`: outside,
		},
	}
	for config := range subject.Wrong {
		// In a file, the values of arguments are text however they are written.
		if c.Unsaid[config] == "" && config != `{"dev":{"command":["a"]},"build":{"args":{"A":1}}}` {
			c.Rejected = append(c.Rejected, config)
		}
	}
	schematest.Agree(t, []byte(schema), validate, c)
}
