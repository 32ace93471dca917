package clitest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
)

// cmdDropin adds a hostile module to the project's providers and to the lock file, as
// a careless user would.
func cmdDropin(ts *testscript.TestScript, args []string) {
	id := args[len(args)-1]
	trustBytes(ts, id, placeGuest(ts, args[0], id))
}

// cmdUntrusted is dropin without the lock file.
func cmdUntrusted(ts *testscript.TestScript, args []string) {
	placeGuest(ts, args[0], args[len(args)-1])
}

// cmdTrusted records a provider of the project in the lock file without loading it.
func cmdTrusted(ts *testscript.TestScript, args []string) {
	data, err := os.ReadFile(ts.MkAbs(".stagecraft/providers/" + args[0] + ".wasm"))
	ts.Check(err)
	trustBytes(ts, args[0], data)
}

// cmdReleased lets the script's go command find our modules as if they were released.
func cmdReleased(ts *testscript.TestScript, _ []string) {
	env, err := providertest.ModuleProxy(ts.MkAbs("."))
	ts.Check(err)
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		ts.Setenv(name, value)
	}
}

// cmdPlayer adds the provider player to the project and to the lock file. It makes the
// calls that its configuration lists.
func cmdPlayer(ts *testscript.TestScript, _ []string) {
	file, err := built.builder.Module("providers/providertest/player")
	ts.Check(err)
	data, err := os.ReadFile(file)
	ts.Check(err)
	place(ts, "player", data)
	trustBytes(ts, "player", data)
}

func placeGuest(ts *testscript.TestScript, guest, id string) []byte {
	data, err := os.ReadFile(filepath.Join(ts.Getenv("GUESTS"), guest+".wasm"))
	ts.Check(err)
	place(ts, id, data)
	return data
}

func place(ts *testscript.TestScript, id string, data []byte) {
	dir := ts.MkAbs(".stagecraft/providers")
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, id+".wasm"), data, 0o644))
}

// trustBytes writes the entry of "provider trust" without loading the module.
func trustBytes(ts *testscript.TestScript, id string, module []byte) {
	path := ts.MkAbs(lock.FileName)
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		ts.Check(err)
	}
	f := new(lock.File)
	if err == nil {
		f, err = lock.Parse(path, data)
		ts.Check(err)
	}
	sum := sha256.Sum256(module)
	f.Set(lock.Entry{ID: id, SHA256: hex.EncodeToString(sum[:]), ABI: abi.Version, Source: "project", Path: ".stagecraft/providers/" + id + ".wasm"})
	ts.Check(os.WriteFile(path, f.Marshal(), 0o644))
}
