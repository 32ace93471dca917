package clitest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
)

var needsProgram = regexp.MustCompile(`\[!exec:([^\]]+)\]`)

// TestPrograms: in CI every program is installed without which a script is skipped.
func TestPrograms(t *testing.T) {
	if os.Getenv("CI") != "true" || runtime.GOOS != "linux" {
		t.Skip("scripts are skipped if a program is missing")
	}
	var scripts []string
	for _, dir := range []string{"cmd/stagecraft/testdata/script", "hostfuncs/hostile"} {
		found, err := filepath.Glob(filepath.Join(Root(), dir, "*.txtar"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no scripts in %s: %v", dir, err)
		}
		scripts = append(scripts, found...)
	}
	for _, script := range scripts {
		for _, m := range needsProgram.FindAllStringSubmatch(ReadFile(t, script), -1) {
			if _, err := exec.LookPath(m[1]); err != nil {
				t.Errorf("%s: %v", filepath.Base(script), err)
			}
		}
	}
}
