package session_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// wantNoHelper waits until nothing of this program deals with a module's process, which it
// does until that has ended.
func wantNoHelper(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		var running bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&running, 1); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(running.String(), "/runtime/sandbox.") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a module's process is left:\n%s", running.String())
		}
	}
}

// TestHelperEnds has runs end in each way before and after their module is loaded, whose
// process is started before.
func TestHelperEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	dir := t.TempDir()
	if err := makeProject(dir); err != nil {
		t.Fatal(err)
	}
	const refusing = "version: 1\nrequire: {digests: {generic: '0000000000000000000000000000000000000000000000000000000000000000'}}\n"
	const denying = "version: 1\nproviders: {generic: {confine: off}}\n"
	enough := errors.New("enough")
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	var untrusted *session.UntrustedError
	var refused *session.RefusedError
	var denied *session.DeniedError
	for name, tt := range map[string]struct {
		ctx      context.Context
		policy   string
		change   func(*session.Options)
		want     any // an error or a pointer to one
		untraced bool
	}{
		"done":        {ctx: t.Context()},
		"untrusted":   {ctx: t.Context(), change: untrust, want: &untrusted, untraced: true},
		"refused":     {ctx: t.Context(), policy: refusing, want: &refused, untraced: true},
		"denied":      {ctx: t.Context(), policy: denying, want: &denied},
		"unrecorded":  {ctx: t.Context(), change: func(o *session.Options) { o.Audit = filepath.Join(dir, "none", "log") }, want: fs.ErrNotExist},
		"interrupted": {ctx: ended, want: enough},
	} {
		t.Run(name, func(t *testing.T) {
			cache := filepath.Join(t.TempDir(), "cache")
			opts := session.Options{Dir: dir, BuiltIns: os.DirFS(filepath.Join(dir, "providers")), CacheDir: cache, Environ: os.Environ(), Locked: true}
			if tt.policy != "" {
				policy := filepath.Join(t.TempDir(), "policy.yml")
				if err := os.WriteFile(policy, []byte(tt.policy), 0o600); err != nil {
					t.Fatal(err)
				}
				opts.Ceilings = []session.Ceiling{{Path: policy}}
			}
			if tt.change != nil {
				tt.change(&opts)
			}
			s, err := session.Open(opts)
			if err != nil {
				t.Fatal(err)
			}
			err = s.Dev(tt.ctx)
			if target, ok := tt.want.(error); ok || tt.want == nil {
				if !errors.Is(err, target) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			} else if !errors.As(err, tt.want) {
				t.Errorf("got %v, want %T", err, tt.want)
			}
			wantNoHelper(t)
			// The directory for compiled code is made when a process is started.
			if _, err := os.Stat(filepath.Join(cache, "wasm")); (err == nil) == tt.untraced {
				t.Errorf("was a process started? %v", err)
			}
		})
	}
}

// untrust has the module be the project's own, which nobody trusts.
func untrust(o *session.Options) {
	o.BuiltIns, o.UserProviders = nil, filepath.Join(o.Dir, "providers")
}
