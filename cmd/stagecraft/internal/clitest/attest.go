package clitest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

// cmdAttest signs a statement of a build that never was, of the image
// ghcr.io/acme/shop@sha256:11...1, whose configuration is sha256:cc...c, and under
// the policies that are named. With config=TEXT it has TEXT, with the escapes of Go, for the configuration's name.
// attest FILE KEY [POLICY...] [config=TEXT]
func cmdAttest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: attest FILE KEY [POLICY...] [config=TEXT]")
	}
	b := provenance.Build{
		Image: "ghcr.io/acme/shop:1", Digests: []string{"sha256:" + strings.Repeat("1", 64)}, Config: "sha256:" + strings.Repeat("c", 64),
		External: provenance.External{Config: provenance.File{Name: "stagecraft.yml", SHA256: strings.Repeat("2", 64)}, Tag: "ghcr.io/acme/shop:1", Push: true},
		Internal: provenance.Internal{ImageFrom: "docker_build", Plan: &provenance.File{Name: "plan.json", SHA256: strings.Repeat("5", 64)}},
		Provider: provenance.Module{ID: "generic", SHA256: strings.Repeat("3", 64)},
		Bases:    []provenance.Base{{Reference: "alpine:3.20", Digest: "sha256:" + strings.Repeat("4", 64)}},
		Run:      "RUN", Started: time.Unix(0, 0), Finished: time.Unix(60, 0),
	}
	for _, arg := range args[2:] {
		if name, ok := strings.CutPrefix(arg, "config="); ok {
			var err error
			b.External.Config.Name, err = strconv.Unquote(`"` + name + `"`)
			ts.Check(err)
			continue
		}
		sum := sha256.Sum256([]byte(ts.ReadFile(arg)))
		b.Internal.Policies = append(b.Internal.Policies, provenance.Policy{Layer: "ceiling", File: provenance.File{Name: arg, SHA256: hex.EncodeToString(sum[:])}})
	}
	s, err := provenance.New(b)
	ts.Check(err)
	payload, err := s.Marshal()
	ts.Check(err)
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	key, err := provenance.ParsePrivateKey(data)
	ts.Check(err)
	signed, err := provenance.Sign(context.Background(), payload, key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), signed, 0o644))
}
