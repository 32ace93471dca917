package clitest

import (
	"net"
	"testing"
)

// TestFreePort: nobody else gets a port until it is released.
func TestFreePort(t *testing.T) {
	port, release, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	for _, free := range []bool{false, true} {
		other, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if (err == nil) != free {
			t.Errorf("port %s is available to others: %v, want %v", port, err == nil, free)
		}
		if err == nil {
			other.Close()
		}
		release()
	}
}
