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
	all := make(chan struct{})
	for range threads {
		go func() {
			if started.Add(1) == threads {
				close(all)
			}
			waitForRelease()
		}()
	}
	// Without this goroutine, its thread looks for the others and starts more threads.
	<-all
	atomic.StoreUint32(&released, 1)
}

// released is set to end waitForRelease.
var released uint32

// waitForRelease keeps its thread and its place among the processors, which Go would give
// to others in a wait that it knows of. The runtime can stop the goroutine in between.
func waitForRelease() {
	wait := unix.Timespec{Nsec: 100_000}
	for rounds := 0; atomic.LoadUint32(&released) == 0; rounds++ {
		if rounds > 1000 {
			// A goroutine without a thread would wait for these forever on a busy machine.
			runtime.Gosched()
		}
		_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&released)), futexWait, 0, uintptr(unsafe.Pointer(&wait)), 0, 0)
	}
}
