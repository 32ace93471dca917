package sandbox_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// The code of a module that broke out of its sandbox: it is native, and has the
// whole of its process.
var (
	// push AF_INET; pop rdi; push SOCK_STREAM; pop rsi; xor edx, edx; mov eax, socket; syscall
	plantedSocket = []byte{0x6a, 2, 0x5f, 0x6a, 1, 0x5e, 0x31, 0xd2, 0xb8, 41, 0, 0, 0, 0x0f, 0x05}
	// lea rsi, [rip+N] "/etc/passwd"; mov edi, AT_FDCWD; xor edx, edx; mov eax, openat;
	// syscall; neg eax; mov edi, eax; mov eax, exit_group; syscall
	plantedOpen = append([]byte{
		0x48, 0x8d, 0x35, 0x1a, 0, 0, 0, 0xbf, 0x9c, 0xff, 0xff, 0xff, 0x31, 0xd2, 0xb8, 1, 1, 0, 0, 0x0f, 0x05,
		0xf7, 0xd8, 0x89, 0xc7, 0xb8, 231, 0, 0, 0, 0x0f, 0x05, 0x90,
	}, "/etc/passwd\x00"...)
)

// TestPlantedCode has native code in a module's own cache, which is run: nothing
// that it tries of the system works.
func TestPlantedCode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		code []byte
		want string
	}{
		"a socket":    {plantedSocket, "its process ended: it made a system call that it may not make"},
		"a file":      {plantedOpen, "its process ended: exit status 13"}, // EACCES
		"no sense":    {[]byte{0x0f, 0x0b}, "its process ended: "},
		"a dead loop": {[]byte{0xeb, 0xfe}, "its computing time is limited to 200ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "cache")
			compileGuest(t, "works", dir)
			for _, file := range cached(t, dir) {
				plant(t, file, tt.code)
			}
			m, err := sandbox.Open(t.Context(), guest(t, "works"), sandbox.Options{
				Helper: sandbox.TestHelper, Operations: abi.Operations(), Host: &host{}, Limits: short, CacheDir: dir,
			})
			if err == nil {
				defer m.Close(t.Context())
				_, err = m.Call(t.Context(), abi.ExportDev, nil)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			// Another module has another directory.
			if w := runGuestCached(t, "asks", dir); len(w) > 0 {
				t.Error(w)
			}
		})
	}
}

// plant puts code in the place of each function of an entry of wazero's cache,
// with a new checksum.
func plant(t *testing.T, file string, code []byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	if !bytes.HasPrefix(data, []byte("WAZEVO")) {
		t.Fatalf("%s is not an entry as wazero writes it", file)
	}
	at := len("WAZEVO") + 1 + int(data[len("WAZEVO")])
	functions := int(binary.LittleEndian.Uint32(data[at:]))
	offsets := data[at+4:]
	size := binary.LittleEndian.Uint64(offsets[8*functions:])
	executable := offsets[8*functions+8:][:size]
	for f := range functions {
		copy(executable[binary.LittleEndian.Uint64(offsets[8*f:]):], code)
	}
	sum := crc32.Checksum(executable, crc32.MakeTable(crc32.Castagnoli))
	binary.LittleEndian.PutUint32(offsets[8*functions+8+int(size):], sum)
	must(t, os.WriteFile(file, data, 0o600))
}

// TestPlantedCount has an entry that claims to have four billion functions.
func TestPlantedCount(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	compileGuest(t, "works", dir)
	for _, file := range cached(t, dir) {
		data, err := os.ReadFile(file)
		must(t, err)
		at := len("WAZEVO") + 1 + int(data[len("WAZEVO")])
		copy(data[at:], "\xff\xff\xff\xff")
		must(t, os.WriteFile(file, data, 0o600))
	}
	if w := runCached(t, dir); len(w) != 1 {
		t.Errorf("got %v, want one warning", w)
	}
	if w := runCached(t, dir); len(w) > 0 || len(cached(t, dir)) > 0 {
		t.Errorf("the damaged entry is still there: %v", w)
	}
	compileGuest(t, "works", dir)
	if w := runCached(t, dir); len(w) > 0 || len(cached(t, dir)) == 0 {
		t.Errorf("the cache was not rebuilt: %v", w)
	}
}
