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
	for _, from := range new(Provider).Describe().TextFrom {
		for _, pointer := range root.Expand(from) {
			if n := root.At(pointer); n != nil {
				texts = append(texts, n)
			}
		}
	}
	ctx := backend.WithHost(context.Background(), new(backendtest.Host))
	return new(Provider).Validate(ctx, abi.ValidateOptions{Config: abi.JSON(root.JSON(texts...))})
}

const leaving = "a path that leaves the project is known once . and .. are resolved"

func TestSchemaAgrees(t *testing.T) {
	c := schematest.Corpus{
		Accepted: []string{
			`{dev: {command: [npm, run, dev], workdir: ./a, env: {A: b, PORT: 4000, DEBUG: true, EMPTY: ""}, interactive: true}}`,
			`{dev: {command: [a, ""], env: , env_files: }}`, `{dev: {command: [a], env: {A: {env: B, files: [.env]}}, env_files: [.env]}}`,
			`{dev: {processes: {db: {command: [postgres], ready: {tcp: 5432}, stop: {signal: SIGINT, grace: 10s}}, migrate: {command: [m], depends_on: {db: ready}, once: true},
				web: {command: [npm, run, dev], workdir: ./web, env: {PORT: 4000, URL: {env: URL, files: [.env.local]}}, env_files: [.env], depends_on: {migrate: done, db: started}, url: "http://localhost:4000",
				watch: {paths: ["server/**"], ignore: ["**/*.test.js"], action: restart, debounce: 200ms}, restart: {when: on-failure, max: 5, backoff: 1s},
				ready: {http: {port: 4000, path: /x, status: 200}, timeout: 90s}}, other: {command: [a], ready: {exec: [a, ""]}}, last: {command: [a], ready: {log: ^ready}}}}}`, `{build: {}}`, `{build: {args: , labels: , secrets: , platforms: , cache_from: , cache_to: , network: ""}}`,
			`{build: {dockerfile: a/D, context: ., target: x, args: {V: 1.2}, labels: {a.b/c: d}, platforms: [linux/amd64], secrets: {npm: {env: T, files: [.env]}, a.b-c_D: {env: T, files: }}, cache_from: [a], cache_to: [b], network: none}}`,
		},
		Rejected: []string{
			`{dev: {command: [a], env: {A: {env: ""}}}}`, `{dev: {command: [a], env: {A: {file: x}}}}`, `{dev: {command: [a], env_files: [""]}}`,
			`{dev: {processes: {a: {command: [a], watch: {}}}}}`, `{dev: {processes: {a: {command: [a], ready: {tcp: 1, log: x}}}}}`, `{dev: {processes: {a: {command: [a], url: x}}}}`,
			`[]`, `{dev: }`, `{dev: {}}`, `{dev: {command: }}`, `{dev: {command: [a], workdir: }}`, `{dev: {command: [a, 1]}}`, `{dev: {command: [a], env: {A: }}}`,
			`{dev: {command: [a], env: [A=b]}}`, `{dev: {command: [a], interactive: "yes"}}`, `{build: }`, `{build: {args: {"": a}}}`, `{build: {labels: {"a\nb": a}}}`,
			`{build: {secrets: {npm: }}}`, `{build: {secrets: {npm: {env: ""}}}}`, `{build: {cache_from: [""]}}`, `{build: {network: hosts}}`, `{devs: {}}`,
		},
		Unsaid: map[string]string{
			`{}`: "build needs no settings",
			`{dev: {processes: {a: {command: [a], depends_on: {b: ready}}}}}`:                                            "JSON Schema cannot compare keys with each other",
			`{"dev":{"processes":{"a":{"command":["a"],"once":true},"b":{"command":["b"],"depends_on":{"a":"ready"}}}}}`: "JSON Schema cannot compare keys with each other",
			`{dev: {processes: {a: {command: [a], stop: {grace: 11s}}}}}`:                                                "a duration has a grammar, and limits on its sum",
			`{dev: {workdir: a, processes: {a: {command: [a]}}}}`:                                                        "the provider says which key excludes which",
			`{dev: {processes: {a: {command: [a], restart: {max: 3}}}}}`:                                                 "the provider says what is missing beside it",
			`{dev: {command: [a], workdir: a/../..}}`:                                                                    leaving,
			`{dev: {command: [a], workdir: /a}}`:                                                                         leaving,
			`{build: {context: ..}}`:                                                                                     leaving,
			`{build: {dockerfile: /D}}`:                                                                                  leaving,
			`{build: {secrets: {npm: {env: T, files: [../.env]}}}}`:                                                      leaving,
			`{"dev":{"command":["a"],"workdir":"../x"},"build":{"context":"/","dockerfile":"a/../../b"}}`:                leaving,
		},
	}
	// The keys of processes are new, so nothing depends on empty ones.
	const empty = "null and empty texts have no meaning in a process"
	c.Stricter = map[string]string{
		`{dev: {processes: {a: {command: [a], ready: , watch: , depends_on: }}}}`: empty,
		`{dev: {processes: {a: {command: [a], restart: {when: ""}, url: ""}}}}`:   empty,
	}
	for config := range subject.Wrong {
		// In a file, the values of arguments are text however they are written.
		if c.Unsaid[config] == "" && config != `{"dev":{"command":["a"]},"build":{"args":{"A":1}}}` {
			c.Rejected = append(c.Rejected, config)
		}
	}
	schematest.Agree(t, []byte(schema), validate, c)
}
