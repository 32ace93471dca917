package gitstate

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzIndex wants an answer for any index.
func FuzzIndex(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x00aaaaaaaaaaaaaaaaaaaa"), false)
	f.Fuzz(func(t *testing.T, data []byte, long bool) {
		size := 20
		if long {
			size = 32
		}
		entries, err := parseIndex(data, size)
		if err == nil {
			treeFor(entries, "", size)
		}
	})
}

// FuzzPatch wants an answer for any delta.
func FuzzPatch(f *testing.F) {
	f.Add([]byte("abc"), []byte("\x03\x04\x90\x03\x01d"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		if out, err := patch(base, delta); err == nil && len(out) > maxObject {
			t.Errorf("it has %d bytes", len(out))
		}
	})
}

// FuzzIgnore wants an answer for any pattern.
func FuzzIgnore(f *testing.F) {
	for _, pattern := range []string{"*.log", "/a/**/b/", "[!a-z]?", "\\#", "[", "a\\"} {
		f.Add(pattern, "a/b.log")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if rule, ok := parseIgnore(pattern, "."); ok {
			ignoreRules{rule}.match(name, true)
		}
	})
}

// FuzzPack wants an answer for any pack.
func FuzzPack(f *testing.F) {
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x60\x01"), int64(12))
	f.Fuzz(func(t *testing.T, data []byte, offset int64) {
		name := filepath.Join(t.TempDir(), "a.pack")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		p := &pack{file, 20, 1 << 20}
		_, _, _ = p.read(offset, maxDeltas)
	})
}
