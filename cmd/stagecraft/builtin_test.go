package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// The binary has the built-in modules with their digests, which it does not compute.
func TestBuiltInDigests(t *testing.T) {
	for _, id := range providertest.BuiltIns {
		cmd := exec.CommandContext(t.Context(), clitest.Binary(), "provider", "inspect", "--json", id)
		cmd.Env = append(cmd.Environ(), "XDG_CACHE_HOME="+clitest.Cache())
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var found struct {
			Digest string
			Size   int
		}
		if err := json.Unmarshal(out, &found); err != nil {
			t.Fatal(err)
		}
		file, err := clitest.Builder().BuiltIn(id)
		if err != nil {
			t.Fatal(err)
		}
		module, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(module)
		if want := "sha256:" + hex.EncodeToString(sum[:]); found.Digest != want || found.Size != len(module) {
			t.Errorf("%s has %d bytes with the digest %s, built were %d with %s", id, found.Size, found.Digest, len(module), want)
		}
	}
}
