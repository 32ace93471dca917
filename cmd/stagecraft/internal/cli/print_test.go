package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// TestErrorsAreCleaned: control sequences in any part of an error are removed, in text
// and in JSON, which is often decoded and printed.
func TestErrorsAreCleaned(t *testing.T) {
	const red = "\x1b[31mred\x1b[0m\r\n\u009b31m"
	for name, err := range map[string]error{
		"provider": &session.ProviderError{Provider: "p", Operation: "dev", Err: &abi.Error{Code: abi.CodeFailed, Message: red, Hint: red, Output: red}},
		"problem":  yamldoc.Problems{{Message: red, Hint: red, Field: red}},
		"host":     errors.New(red),
		"usage":    &usageError{red, red},
	} {
		for _, asJSON := range []bool{false, true} {
			file, ferr := os.Create(filepath.Join(t.TempDir(), "stderr"))
			if ferr != nil {
				t.Fatal(ferr)
			}
			p := newPrinter(System{Stdout: file, Stderr: file}, nil, new(redact.Set))
			p.json = asJSON
			p.failure(err)
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			output, ferr := os.ReadFile(file.Name())
			if ferr != nil {
				t.Fatal(ferr)
			}
			for _, escape := range []string{"\x1b", `\u001b`, "\u009b", `\u009b`, "[31m", `\r`} {
				if strings.Contains(string(output), escape) {
					t.Errorf("%s, JSON %v: %q is in %q", name, asJSON, escape, output)
				}
			}
			if !strings.Contains(string(output), "red") {
				t.Errorf("%s, JSON %v: its text is lost: %q", name, asJSON, output)
			}
		}
	}
}
