package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/privatedir"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
)

// checked is a call whose configuration is first checked by the provider's schema.
func (s *Session) checked(then func(context.Context, *loaded, division) error) func(context.Context, *loaded, division) error {
	return func(ctx context.Context, l *loaded, d division) error {
		if err := s.checkPart(ctx, l); err != nil {
			return err
		}
		return then(ctx, l, d)
	}
}

// checkPart checks the provider's part of the configuration by the provider's schema,
// unless the same program has found it valid before.
func (s *Session) checkPart(ctx context.Context, l *loaded) error {
	part, about := s.part(l.guest), l.guest.Describe()
	if !backend.HasSchema(about) {
		return nil
	}
	key := checkKey(about, part)
	name := sha256.Sum256([]byte(s.config.Root + "\x00" + l.ID))
	file := under(s.opts.CacheDir, filepath.Join("schema", hex.EncodeToString(name[:])))
	if wasValid(file, key) {
		return nil
	}
	about.TextFrom = s.config.Expand(about.TextFrom)
	if err := backend.CheckConfig(ctx, about, part, checker(l.Digest(), s.opts)); err != nil {
		return unusable(l.Source, err)
	}
	if file != "" && key != nil && privatedir.Make(filepath.Dir(file)) == nil {
		// Without the file, the next run checks again.
		_ = atomicfile.Write(file, key)
	}
	return nil
}

// checkKey stands for all that the result of a check depends on. It is nil if that is not
// known.
func checkKey(about abi.Description, part []byte) []byte {
	texts, err := json.Marshal(about.TextFrom)
	if program() == "" || err != nil {
		return nil
	}
	h := sha256.New()
	for _, part := range [][]byte{[]byte(program()), about.ConfigSchema, texts, part} {
		fmt.Fprintf(h, "%d ", len(part))
		h.Write(part)
	}
	return h.Sum(nil)
}

// wasValid reports whether the file has the key.
func wasValid(file string, key []byte) bool {
	if file == "" || key == nil || privatedir.Make(filepath.Dir(file)) != nil {
		return false
	}
	f, err := safefile.OpenOwn(file)
	if err != nil {
		return false
	}
	defer f.Close()
	kept, err := io.ReadAll(io.LimitReader(f, int64(len(key))+1))
	return err == nil && bytes.Equal(kept, key)
}
