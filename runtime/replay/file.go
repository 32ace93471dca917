package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/privatedir"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// sum is a SHA-256 in hex.
type sum string

func hash(data []byte) sum {
	h := sha256.Sum256(data)
	return sum(hex.EncodeToString(h[:]))
}

// text is a request or an output. A run with one that is not UTF-8 is not stored.
type text []byte

// MarshalText implements [encoding.TextMarshaler].
func (t text) MarshalText() ([]byte, error) {
	if !utf8.Valid(t) {
		return nil, errors.New("not UTF-8")
	}
	return t, nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *text) UnmarshalText(data []byte) error {
	*t = bytes.Clone(data)
	return nil
}

// kept is a file's JSON, which follows its checksum and a newline.
type kept struct {
	Key  string `json:"key"`
	Runs []run  `json:"runs"`
}

// maxFile is the most bytes of a file.
const maxFile = 1 << 20

// read returns the runs of a file, or none if it is damaged, of another key or not of a
// deterministic module.
func read(file, key string) []run {
	if file == "" || privatedir.Make(filepath.Dir(file)) != nil {
		return nil
	}
	f, err := safefile.OpenOwn(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil
	}
	checksum, content, _ := bytes.Cut(data, []byte("\n"))
	var k kept
	if string(checksum) != string(hash(content)) || json.Unmarshal(content, &k) != nil || k.Key != key || contradict(k.Runs) {
		return nil
	}
	return k.Runs
}

// contradict reports whether two runs differ in a step though they were given the same.
func contradict(runs []run) bool {
	for i, a := range runs {
		for _, b := range runs[:i] {
			for n := 0; n < min(len(a), len(b)) && a[n].Given == b[n].Given; n++ {
				if !a[n].is(b[n].Operation, b[n].Data) {
					return true
				}
			}
		}
	}
	return false
}

// write stores as many of the runs, the newest first, as there is room for.
func write(file, key string, runs []run) {
	if privatedir.Make(filepath.Dir(file)) != nil {
		return
	}
	for n := min(len(runs), maxRuns); n > 0; n-- {
		content, err := json.Marshal(kept{key, runs[:n]})
		if err != nil {
			return
		}
		if content = append([]byte(hash(content)+"\n"), content...); len(content) <= maxFile {
			// Without the file the module is loaded.
			_ = atomicfile.Write(file, content)
			return
		}
	}
}
