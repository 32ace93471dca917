package bounds

import (
	"runtime"
	"testing"
)

// TestThreadsBesideCollections starts threads while the garbage collector stops all
// goroutines again and again. It hangs if goroutines that wait cannot be stopped.
func TestThreadsBesideCollections(t *testing.T) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	}()
	for range 20 {
		startThreads()
	}
	close(done)
	<-ended
}
