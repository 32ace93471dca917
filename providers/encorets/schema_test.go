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

func validate(text string) error {
	root, err := yamldoc.Parse("config", []byte(text))
	if err != nil {
		return err
	}
	ctx := backend.WithHost(context.Background(), new(backendtest.Host))
	return new(Provider).Validate(ctx, abi.ValidateOptions{Config: abi.JSON(root.JSON())})
}

func TestSchemaAgrees(t *testing.T) {
	const (
		outside  = "a path that leaves the project is known once . and .. are resolved"
		address  = "an address has a grammar that depends on its parts"
		duration = "a duration has a grammar, and limits on its sum"
	)
	c := schematest.Corpus{
		Accepted: []string{
			`{dev: {entrypoint: ./b, listen: "127.0.0.1:4000", env_from: [.env], secrets: {types: [local], from_env: [A, B]}, disable_telemetry: false, node_extra_ca_certs: a.pem, ready_timeout: 90s, watch: true, namespace: x-y, level: debug, debug: break, browser: auto}, build: {workdir: b, image_name: a__b.c-d, docker_tag_suffix: -x, config: c.json, base: node:22, arch: arm64, push: true, services: [api], gateways: [g]}}`,
			`{dev: {entrypoint: b, env_from: , secrets: {types: , from_env: }, disable_telemetry: , watch: , level: "", debug: , browser: "", namespace: "", listen: "", ready_timeout: ""}, build: {arch: "", services: , gateways: , image_name: "", base: "", docker_tag_suffix: "", skip_config: true}}`,
			`{dev: {entrypoint: b, secrets: {from_env: []}, debug: ""}}`, `{dev: {entrypoint: b, secrets: {types: [prod, pr], required: }}, build: {config: "", skip_config: true}}`,
		},
		Rejected: []string{
			`[]`, `{dev: }`, `{dev: {entrypoint: ""}}`, `{dev: {entrypoint: b, env_from: [""]}}`, `{dev: {entrypoint: b, secrets: }}`, `{dev: {entrypoint: b, secrets: {types: [x]}}}`,
			`{dev: {entrypoint: b, secrets: {from_env: [A, A], types: [local]}}}`, `{dev: {entrypoint: b, secrets: {from_env: [A], types: }}}`, `{dev: {entrypoint: b, watch: "no"}}`,
			`{dev: {entrypoint: b, namespace: -x}}`, `{dev: {entrypoint: b, level: warm}}`, `{dev: {entrypoint: b, debug: 3}}`, `{dev: {entrypoint: b, debug: [x]}}`, `{dev: {entrypoint: b, browser: maybe}}`,
			`{dev: {entrypoint: b}, build: {config: a, skip_config: true}}`, `{dev: {entrypoint: b}, build: {image_name: A}}`, `{dev: {entrypoint: b}, build: {image_name: a___b}}`,
			`{dev: {entrypoint: b}, build: {docker_tag_suffix: "a b"}}`, `{dev: {entrypoint: b}, build: {arch: riscv64}}`, `{dev: {entrypoint: b}, build: {services: ["a,b"]}}`, `{dev: {entrypoint: b}, build: {gateways: [a, a]}}`,
			`{dev: {entrypoint: b}, build: {services: [-a]}}`, `{dev: {entrypoint: b}, build: {push: 1}}`,
		},
		Unsaid: map[string]string{
			`{}`: "build needs no settings", `{build: {}}`: "build needs no dev",
			`{dev: {entrypoint: b}, build: {workdir: /a}}`:                 outside,
			`{dev: {entrypoint: b, secrets: {types: [dev, development]}}}`: "both names mean one environment",
			`{dev: {entrypoint: b}, build: {base: "a b"}}`:                 "a reference has a grammar, and a limit on its parts together",
			`{"dev":{"entrypoint":"../b"}}`:                                outside,
			`{"dev":{"entrypoint":"b","listen":"4000"}}`:                   address,
			`{"dev":{"entrypoint":"b","listen":"a:99999"}}`:                address,
			`{"dev":{"entrypoint":"b","listen":"shop.lan:80"}}`:            address,
			`{"dev":{"entrypoint":"b","ready_timeout":"soon"}}`:            duration,
			`{"dev":{"entrypoint":"b","ready_timeout":"-1s"}}`:             duration,
			`{"dev":{"entrypoint":"b","env_from":["a","/etc"]}}`:           outside,
		},
	}
	for config := range subject.Wrong {
		if c.Unsaid[config] == "" {
			c.Rejected = append(c.Rejected, config)
		}
	}
	schematest.Agree(t, []byte(schema), validate, c)
}
