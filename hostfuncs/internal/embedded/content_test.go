package embedded

import (
	"io/fs"
	"testing"
)

func TestFileMode(t *testing.T) {
	for _, tt := range []struct {
		goos string
		mode fs.FileMode
		want int64
	}{
		{"linux", 0o600, 0o644}, {"linux", 0o664, 0o644}, {"linux", 0o700, 0o755}, {"linux", 0o755, 0o755},
		{"linux", 0o655, 0o644}, {"linux", 0o755 | fs.ModeSetuid, 0o4755}, {"linux", 0o644 | fs.ModeSetgid, 0o2644},
		{"windows", 0o666, 0o755},
	} {
		if got := fileMode(tt.goos, tt.mode); got != tt.want {
			t.Errorf("fileMode(%s, %v) = %o, want %o", tt.goos, tt.mode, got, tt.want)
		}
	}
}
