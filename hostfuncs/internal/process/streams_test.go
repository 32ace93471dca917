//go:build unix

package process

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// opened are the streams of a command that a test plays itself.
func opened(t *testing.T, c Command) *streams {
	t.Helper()
	s, err := openStreams(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.abandon)
	return s
}

func TestStreamsWaitForASlowWriter(t *testing.T) {
	text := strings.Repeat("x", 60_000)
	var got bytes.Buffer
	begun, release := make(chan struct{}), make(chan struct{})
	slow := writerFunc(func(p []byte) (int, error) {
		if got.Len() == 0 {
			close(begun)
			<-release
		}
		return got.Write(p)
	})
	s := opened(t, Command{Stdout: slow})
	if _, err := s.files[1].WriteString(text); err != nil {
		t.Fatal(err)
	}
	s.flow()
	<-begun
	// The tree has gone, and only then does the writer take the first bytes.
	for _, r := range s.outputs {
		if err := r.SetReadDeadline(time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	close(release)
	if err := s.settle(); err != nil || got.String() != text {
		t.Errorf("%d of %d bytes came, %v", got.Len(), len(text), err)
	}
}

func TestStreamsDoNotWaitForWhoHoldsThem(t *testing.T) {
	var got bytes.Buffer
	s := opened(t, Command{Stdout: &got, Stdin: endless{}})
	// As a process does that escaped.
	for _, fd := range []int{0, 1} {
		copied := dup(t, s.files[fd])
		if fd == 1 {
			if _, err := copied.WriteString("said"); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.flow()
	if err := s.settle(); err != nil || got.String() != "said" {
		t.Errorf("got %q, %v", &got, err)
	}
}

// endless fills the pipe to the child, which does not read it.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestStreamsDoNotWaitForWhoGoesOnWriting(t *testing.T) {
	var got counter
	s := opened(t, Command{Stdout: &got})
	copied := dup(t, s.files[1])
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(copied, endless{})
		done <- err
	}()
	s.flow()
	if err := s.settle(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("the writer got no error")
	}
}

// dup is another descriptor of a file, closed with the test.
func dup(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	copied := os.NewFile(uintptr(fd), f.Name())
	t.Cleanup(func() { copied.Close() })
	return copied
}

func TestStreamsThrowAway(t *testing.T) {
	var out bytes.Buffer
	s := opened(t, Command{Stdout: &out})
	if s.files[2] == s.files[1] || s.files[2] == nil {
		t.Error("standard error goes where standard output goes")
	}
	if s := opened(t, Command{}); s.files[1] != s.files[2] || len(s.outputs) != 0 {
		t.Error("what is thrown away is copied")
	}
}

func TestSameWriter(t *testing.T) {
	one, two := new(bytes.Buffer), new(bytes.Buffer)
	uncomparable := writerFunc(one.Write)
	for _, tt := range []struct {
		name string
		a, b io.Writer
		same bool
	}{
		{"none", nil, nil, true},
		{"one", one, nil, false},
		{"other", nil, one, false},
		{"same", one, one, true},
		{"two", one, two, false},
		{"other type", one, io.Discard, false},
		{"functions", uncomparable, uncomparable, false},
		{"function inside", wrapped{uncomparable}, wrapped{uncomparable}, false},
		{"equal inside", wrapped{one}, wrapped{one}, true},
	} {
		if got := sameWriter(tt.a, tt.b); got != tt.same {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}

type wrapped struct{ io.Writer }
