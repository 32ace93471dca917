package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

func TestExitCode(t *testing.T) {
	of := func(code abi.Code) error { return abi.Errorf(code, "x") }
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, ExitDone},
		{errors.New("x"), ExitFailed},
		{of(abi.CodeFailed), ExitFailed},
		{of(abi.CodeNotFound), ExitFailed},
		{of(abi.CodeInvalid), ExitFailed},
		{of(abi.CodeTooLarge), ExitFailed},
		{abi.Invalid(abi.Problem{Message: "x"}), ExitConfig},
		{of(abi.CodeDenied), ExitDenied},
		{of(abi.CodeTimeout), ExitTimeout},
		{of(abi.CodeUnavailable), ExitEngine},
		{of(abi.CodeInterrupted), ExitInterrupted},
		{&abi.Error{Code: abi.CodeFailed, ExitCode: 42}, 42},
		{&session.DeniedError{Err: &abi.Error{ExitCode: 42}}, ExitDenied},
		{yamldoc.Problems{{}}, ExitConfig},
		{&config.NotFoundError{}, ExitConfig},
		{&provider.UnusableError{}, ExitProvider},
		{&backend.ContractError{}, ExitProvider},
		{&unknownProviderError{}, ExitProvider},
		{&sandbox.LimitError{}, ExitTimeout},
		{&sandbox.CrashError{}, ExitFailed},
	} {
		wrapped := tt.err
		if wrapped != nil {
			wrapped = &session.ProviderError{Provider: "p", Operation: "dev", Err: fmt.Errorf("x: %w", tt.err)}
		}
		for _, err := range []error{tt.err, wrapped} {
			if got := exitCode(t.Context(), err); got != tt.want {
				t.Errorf("%T %v: got %d, want %d", tt.err, err, got, tt.want)
			}
		}
	}
}

func TestInterruptedEnd(t *testing.T) {
	cause := session.Interrupt(testSignal{}, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	for _, tt := range []struct {
		err   error
		code  int
		shown bool
	}{
		{fmt.Errorf("x: %w", cause), ExitInterrupted, true},
		{&abi.Error{Code: abi.CodeInterrupted}, ExitInterrupted, true},
		{&abi.Error{Code: abi.CodeFailed, ExitCode: 3}, 3, true},
		{&abi.Error{Code: abi.CodeFailed}, ExitFailed, false},
		{errors.New("x"), ExitInterrupted, false},
	} {
		if got := exitCode(ctx, tt.err); got != tt.code {
			t.Errorf("%v: got %d, want %d", tt.err, got, tt.code)
		}
		if got := isShown(ctx, tt.err); got != tt.shown {
			t.Errorf("%v: shown is %v", tt.err, got)
		}
		if isShown(t.Context(), tt.err) {
			t.Errorf("%v: shown without an interrupt", tt.err)
		}
	}
}

// testSignal is one that no system has.
type testSignal struct{}

func (testSignal) Signal()        {}
func (testSignal) String() string { return "test" }

func TestUserDirectories(t *testing.T) {
	home := t.TempDir()
	other := filepath.Join(home, "other")
	for _, tt := range []struct {
		environ          []string
		providers, cache string
	}{
		{nil, "", ""},
		{[]string{"HOME=relative"}, "", ""},
		{[]string{"XDG_CACHE_HOME=" + other}, "", filepath.Join(other, "stagecraft")},
		{[]string{"XDG_CACHE_HOME=relative", "XDG_DATA_HOME=" + home, "XDG_DATA_HOME=" + other}, filepath.Join(other, "stagecraft", "providers"), ""},
	} {
		if got := userDirectories(tt.environ); got.providers != tt.providers || got.cache != tt.cache {
			t.Errorf("%v: got %+v", tt.environ, got)
		}
	}
	get := func(name string) string { return map[string]string{"HOME": "/h", "LOCALAPPDATA": "/l"}[name] }
	support := filepath.Join("/h", "Library", "Application Support")
	for goos, want := range map[string][3]string{
		"linux":   {filepath.Join("/h", ".local", "share"), filepath.Join("/h", ".cache"), filepath.Join("/h", ".local", "state")},
		"darwin":  {support, filepath.Join("/h", "Library", "Caches"), support},
		"windows": {"/l", "/l", "/l"},
	} {
		if data, cache, state := defaultDirectories(goos, get); data != want[0] || cache != want[1] || state != want[2] {
			t.Errorf("%s: %s, %s, %s", goos, data, cache, state)
		}
	}
}

// TestJSONIsPlain: text that a terminal would interpret is escaped, such as C1 codes,
// DEL, direction marks and characters beyond 16 bits.
func TestJSONIsPlain(t *testing.T) {
	type message struct {
		Text string          `json:"text"`
		Raw  json.RawMessage `json:"raw"`
	}
	in := message{"größe <&> \x1b[2J\x7f\u009b2J\u202egnp.exe\u200b\ufeff\U000e0001", json.RawMessage("\"\u009b\u202e\"")}
	for _, indent := range []string{"", "  "} {
		data, err := marshal(in, indent)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range string(data) {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%q reaches the terminal in %q", r, data)
			}
		}
		var out message
		if err := json.Unmarshal(data, &out); err != nil || out.Text != in.Text {
			t.Errorf("got %q, %v, want %q", out.Text, err, in.Text)
		}
		if !strings.Contains(string(data), "größe <&>") {
			t.Errorf("plain text was changed: %s", data)
		}
	}
}

// TestCrashed: a bug of our own ends a command with a message.
func TestCrashed(t *testing.T) {
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	if got := Main([]string{"provider", "list"}, System{Stdout: stderr, Stderr: stderr, BuiltIns: crashing{}}); got != ExitFailed {
		t.Errorf("exit code %d", got)
	}
	output, err := os.ReadFile(stderr.Name())
	if want := regexp.MustCompile(`^error: bug in stagecraft: boom\n  please report it, with this location: .*cli_test\.go:\d+\n$`); err != nil || !want.Match(output) {
		t.Errorf("%v, %s", err, output)
	}
}

// crashing is a file system with a bug.
type crashing struct{}

func (crashing) Open(string) (fs.File, error) { panic("boom") }

// TestCrashedIsMasked: secrets in the message of a bug are masked.
func TestCrashedIsMasked(t *testing.T) {
	secrets := new(redact.Set)
	secrets.Add("s3cret-value")
	var output strings.Builder
	crashed(masking{&output, secrets}, "oh s3cret-value\n::set-env name=A::b")
	if got := output.String(); !strings.HasPrefix(got, "error: bug in stagecraft: oh *** ::set-env name=A::b\n  please report it") {
		t.Errorf("output %q", got)
	}
}
