package dockerfile

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Ports returns the ports of a word of EXPOSE, such as 80/tcp:
// [[IP:]HOST:]PORT[-PORT][/PROTOCOL]. The host's part is checked and ignored.
func Ports(word string) ([]string, error) {
	rest, protocol, _ := strings.Cut(word, "/")
	if protocol = strings.ToLower(protocol); protocol == "" {
		protocol = "tcp"
	}
	if !slices.Contains([]string{"tcp", "udp", "sctp"}, protocol) {
		return nil, fmt.Errorf("unknown protocol %q: expected tcp, udp or sctp", protocol)
	}
	host := ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		host, rest = rest[:i], rest[i+1:]
	}
	first, last, err := portRange(rest)
	if err != nil {
		return nil, err
	}
	if err := checkHost(host, last-first); err != nil {
		return nil, err
	}
	var ports []string
	for port := first; port <= last; port++ {
		ports = append(ports, strconv.Itoa(port)+"/"+protocol)
	}
	return ports, nil
}

func checkHost(host string, more int) error {
	address := ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		address, host = strings.Trim(host[:i], "[]"), host[i+1:]
	}
	if address != "" {
		if _, err := netip.ParseAddr(address); err != nil {
			return err
		}
	}
	if host == "" {
		return nil
	}
	first, last, err := portRange(host)
	if err == nil && more > 0 && last-first != more {
		err = fmt.Errorf("the host has %d ports and the container %d", last-first+1, more+1)
	}
	return err
}

func portRange(word string) (first, last int, err error) {
	from, to, two := strings.Cut(word, "-")
	if first, err = port(from); err != nil || !two {
		return first, first, err
	}
	if last, err = port(to); err == nil && last < first {
		err = fmt.Errorf("%s ends before it begins", word)
	}
	return first, last, err
}

func port(word string) (int, error) {
	n, err := strconv.ParseUint(word, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is not a port", word)
	}
	return int(n), nil
}

// signals are Linux's, without SIG.
var signals = strings.Fields("ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV " +
	"STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX")

// IsSignal reports whether BuildKit accepts a STOPSIGNAL: a signal of Linux, or any
// number except 0.
func IsSignal(name string) bool {
	if n, err := strconv.Atoi(name); err == nil {
		return n != 0
	}
	name = strings.TrimPrefix(strings.ToUpper(name), "SIG")
	if slices.Contains(signals, name) {
		return true
	}
	for prefix, most := range map[string]int{"RTMIN+": 15, "RTMAX-": 14} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			n, err := strconv.Atoi(rest)
			return err == nil && n > 0 && n <= most
		}
	}
	return false
}
