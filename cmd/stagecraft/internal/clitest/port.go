package clitest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// Ports for tests are below the ephemeral ports of systems, which begin at 32768 or
// later: otherwise any connection could take one.
const firstPort, ports = 20000, 10000

// FreePort reserves a TCP port that nothing listens on. No test, not even in another
// process, gets it until it is released: the UDP port of the same number is the lock.
func FreePort() (port string, release func(), err error) {
	for range ports {
		port = strconv.Itoa(firstPort + rand.IntN(ports))
		lock, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		release := func() { lock.Close() }
		if l, err := net.Listen("tcp", ":"+port); err == nil {
			return port, release, l.Close()
		}
		release()
	}
	return "", nil, fmt.Errorf("no free port from %d on", firstPort)
}

// cmdPort sets NAME to a free port, and reserves it for the script.
func cmdPort(ts *testscript.TestScript, args []string) {
	port, release, err := FreePort()
	ts.Check(err)
	ts.Defer(release)
	ts.Setenv(args[0], port)
}

// cmdExpand replaces $NAME and ${NAME} in files with the values of variables.
func cmdExpand(ts *testscript.TestScript, args []string) {
	for _, file := range args {
		text := os.Expand(ts.ReadFile(file), func(name string) string {
			value := ts.Getenv(name)
			if value == "" {
				ts.Fatalf("%s: $%s is not set", file, name)
			}
			return value
		})
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}
