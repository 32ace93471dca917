package bounds

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// threadsStarted is closed when startThreads has ended.
var threadsStarted = make(chan struct{})

// countThreads is how many threads Go's runtime can need: one for each processor, and some
// that wait in system calls.
func countThreads() int { return runtime.GOMAXPROCS(0) + 4 }

// startThreads starts all threads that Go's runtime can need, which it keeps, so that a
// filter can refuse new ones: nothing else bounds the threads of a process. The runtime has
// a processor for each of them and for other goroutines meanwhile, and all are busy at the
// end, so no other thread is about to start.
func startThreads() {
	processors, threads := runtime.GOMAXPROCS(0), int32(countThreads())
	runtime.GOMAXPROCS(int(threads) + 1)
	// This also ends that Go follows changes of the number of processors.
	defer runtime.GOMAXPROCS(processors)
	var started atomic.Int32
	var released atomic.Uint32
	all := make(chan struct{})
	for range threads {
		go func() {
			if started.Add(1) == threads {
				close(all)
			}
			// In a wait that Go knows of, it would give the thread's place among the
			// processors to others.
			for released.Load() == 0 {
				waitBriefly()
			}
		}()
	}
	// Without this goroutine, its thread looks for the others and starts more threads.
	<-all
	released.Store(1)
}

// waitBriefly is a call of its own, at which the runtime can stop the goroutine. Without
// one, a garbage collection that begins meanwhile waits for the release, and the goroutine
// that releases waits for the collection.
//
//go:noinline
func waitBriefly() {
	var never uint32
	wait := unix.Timespec{Nsec: 100_000}
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&never)), futexWait, 0, uintptr(unsafe.Pointer(&wait)), 0, 0)
}
