package process

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFixed: a path is for root alone to change only if all that leads to its file
// is, and never for root, who changes anything.
func TestFixed(t *testing.T) {
	if !rootAlone("/") || !rootAlone("/usr") || !rootAlone("/usr/bin") {
		t.Skip("on this system not only root can change /usr/bin")
	}
	dir := t.TempDir()
	for link, to := range map[string]string{"link": "/usr/bin/env", "loop": "loop", "up": "../../../../../../../../usr"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]bool{
		"/usr/bin/env": true, "/usr/bin/../bin/env": true, "/usr/bin/none": false, "/usr/bin/env/none": false,
		dir + "/link": false, dir + "/loop": false, dir + "/up/bin/env": false, "usr/bin/env": false, "/tmp": false,
	} {
		if got := isFixed(path, 1000); got != want {
			t.Errorf("%s is fixed for a user: %v", path, got)
		}
		if isFixed(path, 0) {
			t.Errorf("%s is fixed for root", path)
		}
	}
}
