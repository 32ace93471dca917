//go:build unix

package session

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/lock"
)

// TestChangeLock changes the lock file many times at once: no change is lost.
func TestChangeLock(t *testing.T) {
	root := t.TempDir()
	const many = 20
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			entry := lock.Entry{ID: fmt.Sprint("p", i), SHA256: fmt.Sprintf("%064d", i), Source: "project"}
			if _, err := trust(t.Context(), func(error) {}, root, entry); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	f, err := loadLock(root)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(f.IDs()); got != many {
		t.Errorf("got %d entries, want %d", got, many)
	}
}
