package session

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/config"
)

func TestDefaultTag(t *testing.T) {
	for _, tt := range []struct {
		project config.Project
		root    string
		want    string
	}{
		{config.Project{Name: "shop", Registry: "ghcr.io/acme"}, "x", "ghcr.io/acme/shop:dev"},
		{config.Project{Name: "shop"}, "x", "shop:dev"},
		{config.Project{}, "My Shop_2", "my-shop-2:dev"},
		{config.Project{}, "日本", "app:dev"},
	} {
		root := filepath.Join(t.TempDir(), tt.root)
		if err := os.Mkdir(root, 0o755); err != nil {
			t.Fatal(err)
		}
		s := &Session{config: &config.Config{Root: root, Project: tt.project}}
		if got := s.DefaultTag(); got != tt.want {
			t.Errorf("%+v in %s: got %s, want %s", tt.project, tt.root, got, tt.want)
		}
	}
}
