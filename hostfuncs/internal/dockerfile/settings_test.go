package dockerfile

import (
	"strings"
	"testing"
)

func TestPorts(t *testing.T) {
	for word, want := range map[string]string{
		"80": "80/tcp", "80/UDP": "80/udp", "1-3/sctp": "1/sctp 2/sctp 3/sctp", "8080:80": "80/tcp", "1.2.3.4:8080:80": "80/tcp",
		"[::1]:8080:80/udp": "80/udp", "[::1]::80": "80/tcp", "1-2:3-4": "3/tcp 4/tcp", "1-9:3": "3/tcp", "0": "0/tcp", "65535": "65535/tcp",
	} {
		got, err := Ports(word)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v, want %s", word, got, err, want)
		}
	}
	for _, word := range []string{"", "x", "-1", "1-", "65536", "1/x", "x:1", "1.2.3:1:1", "1-2:3-5", "2-1", ":", "/tcp"} {
		if got, err := Ports(word); err == nil {
			t.Errorf("%s: %v", word, got)
		}
	}
}

// TestSignals takes what BuildKit takes, on any system.
func TestSignals(t *testing.T) {
	for name, want := range map[string]bool{
		"9": true, "64": true, "65": true, "SIGTERM": true, "term": true, "RTMIN+15": true, "SIGRTMAX-1": true,
		"0": false, "": false, "SIG": false, "NO": false, "RTMIN+16": false, "RTMIN+": false, "RTMAX-15": false,
	} {
		if got := IsSignal(name); got != want {
			t.Errorf("IsSignal(%s) = %v", name, got)
		}
	}
}
