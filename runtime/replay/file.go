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

// text is what a module says; what isn't in UTF-8 is not kept.
type text []byte

// MarshalText implements [encoding.TextMarshaler].
func (t text) MarshalText() ([]byte, error) {
	if !utf8.Valid(t) {
		return nil, errors.New("it is not in UTF-8")
	}
	return t, nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *text) UnmarshalText(data []byte) error {
	*t = bytes.Clone(data)
	return nil
}

// kept is a file's JSON. Before it stands its sum and a newline: a bit that has
// changed would have something else asked for.
type kept struct {
	Key  string `json:"key"`
	Runs []run  `json:"runs"`
}

// maxFile is how large a file can be, in bytes.
const maxFile = 1 << 20

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
	if string(checksum) != string(hash(content)) || json.Unmarshal(content, &k) != nil || k.Key != key {
		return nil
	}
	return k.Runs
}

// write keeps the first runs, as many as there is room for.
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
			// What can't be kept is done anew.
			_ = atomicfile.Write(file, content)
			return
		}
	}
}
