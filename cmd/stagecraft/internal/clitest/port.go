package clitest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// The ports for tests are below those that systems give to connections, which
// begin with 32768 or later: else any connection could take one meanwhile.
const firstPort, ports = 20000, 10000

// FreePort is a TCP port that nobody listens on, and that no other test gets
// until it is released, not even one of another process: whoever holds the UDP
// port of the same number has it.
func FreePort() (port string, release func(), err error) {
	for range ports {
		port = strconv.Itoa(firstPort + rand.IntN(ports))
		held, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		release := func() { held.Close() }
		if l, err := net.Listen("tcp", ":"+port); err == nil {
			return port, release, l.Close()
		}
		release()
	}
	return "", nil, fmt.Errorf("no port from %d on is free", firstPort)
}

// cmdPort has a free port in a variable, and keeps it for this script:
// port NAME
func cmdPort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port NAME")
	}
	port, release, err := FreePort()
	ts.Check(err)
	ts.Defer(release)
	ts.Setenv(args[0], port)
}

// cmdExpand writes the values of variables into files, in place of $NAME and
// ${NAME}: expand FILE...
func cmdExpand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE...")
	}
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
