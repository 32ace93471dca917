package buildkit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
)

// TestGatheredKeepsAll wants each byte at the other end, in order, and fewer
// writes than were asked for once the other end is slower.
func TestGatheredKeepsAll(t *testing.T) {
	near, far := net.Pipe()
	c := gather(near)
	var want bytes.Buffer
	reads := make(chan int, 1)
	var got bytes.Buffer
	go func() {
		n, buffer := 0, make([]byte, 1<<20)
		for {
			k, err := far.Read(buffer)
			got.Write(buffer[:k])
			if err != nil || bytes.HasSuffix(got.Bytes(), []byte("end")) {
				reads <- n
				return
			}
			n++
		}
	}()
	const count = 20_000
	for i := range count {
		line := fmt.Appendf(nil, "line %d\n", i)
		want.Write(line)
		if n, err := c.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	want.WriteString("end")
	if _, err := io.WriteString(c, "end"); err != nil {
		t.Fatal(err)
	}
	n := <-reads
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes came, of %d, or in another order", got.Len(), want.Len())
	}
	if n > count/2 {
		t.Errorf("%d writes came as %d", count, n)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after it was closed: %v", err)
	}
}

// TestGatheredEnds has nobody read at the other end: a writer waits when much is
// on its way, and is let go by whichever end is closed.
func TestGatheredEnds(t *testing.T) {
	for name, end := range map[string]func(near, far net.Conn) error{
		"here":  func(near, _ net.Conn) error { return near.Close() },
		"there": func(_, far net.Conn) error { return far.Close() },
	} {
		for _, size := range []int{100, 100 << 10} {
			near, far := net.Pipe()
			c := gather(near)
			failed, sent := make(chan error), 0
			go func() {
				for {
					n, err := c.Write(make([]byte, size))
					if err != nil {
						failed <- err
						return
					}
					sent += n
				}
			}()
			// What is on its way to it has begun.
			if _, err := far.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if err := end(c, far); err != nil {
				t.Error(name, err)
			}
			if err := <-failed; err == nil {
				t.Errorf("%s: no error", name)
			}
			if sent > 2*maxWaiting+size {
				t.Errorf("%s: %d bytes were taken that nobody read", name, sent)
			}
			if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Error(name, err)
			}
		}
	}
}
