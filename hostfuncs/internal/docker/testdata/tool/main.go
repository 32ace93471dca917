// Command tool is all that the test images hold: a static binary whose first
// argument says what to do.
package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

func main() {
	switch os.Args[1] {
	case "lines": // print N lines, then exit with a code
		n, _ := strconv.Atoi(os.Args[2])
		code, _ := strconv.Atoi(os.Args[3])
		for i := range n {
			fmt.Println("line", i+1)
		}
		os.Exit(code)
	case "write": // write a file
		if err := os.WriteFile(os.Args[2], []byte(os.Args[3]), 0o644); err != nil {
			panic(err)
		}
	case "env": // write a variable's value to a file
		if err := os.WriteFile(os.Args[2], []byte(os.Getenv(os.Args[3])), 0o644); err != nil {
			panic(err)
		}
	case "links": // print how many network interfaces there are
		links, err := net.Interfaces()
		if err != nil {
			panic(err)
		}
		fmt.Println("interfaces:", len(links))
	case "dial": // print whether something answers at an address
		c, err := net.DialTimeout("tcp", os.Args[2], time.Minute)
		if err == nil {
			c.Close()
		}
		fmt.Println("reached:", err == nil)
	case "escapes": // print what a terminal would obey
		fmt.Print("\x1b[31mred\x1b[0m\x1b]0;title\x07\n")
		fmt.Fprint(os.Stderr, "real\rfake\n")
	case "show": // print a file, and the SHA-256 of what is in it to another
		text, err := os.ReadFile(os.Args[2])
		if err != nil {
			panic(err)
		}
		fmt.Printf("it is %s\n\x1b]0;title\x07", text)
		if err := os.WriteFile(os.Args[3], fmt.Appendf(nil, "%x", sha256.Sum256(text)), 0o644); err != nil {
			panic(err)
		}
	case "hang": // print a line and wait for ever
		fmt.Println("hanging")
		time.Sleep(time.Hour)
	}
}
