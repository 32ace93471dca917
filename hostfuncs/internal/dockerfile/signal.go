package dockerfile

import (
	"slices"
	"strconv"
	"strings"
)

// signals are those of Linux, without SIG.
var signals = strings.Fields("ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV " +
	"STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX")

// IsSignal reports whether BuildKit takes a STOPSIGNAL: on any system, one of
// Linux, or any number but 0.
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
