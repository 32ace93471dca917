package clitest

import (
	"net"
	"testing"
)

// TestFreePort wants a port to be nobody else's until it is released.
func TestFreePort(t *testing.T) {
	port, release, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	for _, free := range []bool{false, true} {
		other, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if (err == nil) != free {
			t.Errorf("another can have port %s: %v, want %v", port, err == nil, free)
		}
		if err == nil {
			other.Close()
		}
		release()
	}
}
