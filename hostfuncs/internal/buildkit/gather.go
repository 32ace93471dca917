package buildkit

import (
	"net"
	"sync"
)

// gathered is a connection that combines small writes while an earlier one is in
// progress. BuildKit's session writes separately for each file of a context, and the
// engine at the other end wakes up for each.
type gathered struct {
	net.Conn

	mu      sync.Mutex
	wake    *sync.Cond
	waiting []byte
	sending bool // a write is in progress
	err     error
	closed  bool
	done    chan struct{}
}

const (
	maxWaiting = 256 << 10 // most bytes that wait to be sent
	large      = 2 << 10   // bytes of a write that is sent directly
)

func gather(c net.Conn) net.Conn {
	g := &gathered{Conn: c, done: make(chan struct{})}
	g.wake = sync.NewCond(&g.mu)
	go g.send()
	return g
}

// Write implements [net.Conn]. An error may be that of an earlier write.
func (g *gathered) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) > maxWaiting && g.err == nil && !g.closed {
		g.wake.Wait()
	}
	switch {
	case g.err != nil:
		return 0, g.err
	case g.closed:
		return 0, net.ErrClosed
	}
	if len(p) >= large && len(g.waiting) == 0 && !g.sending {
		return g.pass(p)
	}
	g.waiting = append(g.waiting, p...)
	g.wake.Broadcast()
	return len(p), nil
}

// pass writes without the lock, and keeps an error for the next Write.
func (g *gathered) pass(p []byte) (int, error) {
	g.sending = true
	g.mu.Unlock()
	n, err := g.Conn.Write(p)
	g.mu.Lock()
	g.sending = false
	if err != nil {
		g.err = err
	}
	g.wake.Broadcast()
	return n, err
}

func (g *gathered) send() {
	defer close(g.done)
	var sending []byte
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		for (len(g.waiting) == 0 || g.sending) && !g.closed && g.err == nil {
			g.wake.Wait()
		}
		if g.closed || g.err != nil {
			return
		}
		sending, g.waiting = g.waiting, sending[:0]
		if _, err := g.pass(sending); err != nil {
			return
		}
	}
}

// Close implements [net.Conn].
func (g *gathered) Close() error {
	g.mu.Lock()
	g.closed = true
	g.wake.Broadcast()
	g.mu.Unlock()
	err := g.Conn.Close()
	<-g.done
	return err
}
