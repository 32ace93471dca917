package exec

import (
	"os"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// TestNoWatchOutlivesTheRun closes the runner before, while and after watches are started.
func TestNoWatchOutlivesTheRun(t *testing.T) {
	for range 50 {
		p := newProject(t, map[string]string{"a/x": "", "b/x": "", "c/x": ""})
		g := p.reads(t, "['**']")
		startWatch(t, g, "a/**")
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 3 {
				hosttest.Call(t, g, abi.OpWatch, abi.WatchRequest{Paths: []string{"**"}})
			}
		}()
		p.made.Close()
		<-done
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.Contains(to, "inotify") {
				t.Fatal("a watch is left")
			}
		}
	}
}
