// Package duration parses and formats durations in milliseconds, as package time does.
// That package would be a tenth of a module.
package duration

import (
	"math"
	"strconv"
	"strings"
)

// Second is a Second.
const Second = 1000

const digits = "0123456789"

// units are in nanoseconds.
var units = map[string]uint64{
	"ns": 1, "us": 1e3, "\u00b5s": 1e3, "\u03bcs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9,
}

// Parse parses a duration of more than 0 as time.ParseDuration does.
func Parse(s string) (ms int64, ok bool) {
	const number = digits + "."
	var total uint64
	for s = strings.TrimPrefix(s, "+"); s != ""; {
		rest := strings.TrimLeft(s, number)
		whole, fraction, _ := strings.Cut(s[:len(s)-len(rest)], ".")
		end := strings.IndexAny(rest, number)
		if end < 0 {
			end = len(rest)
		}
		unit := units[rest[:end]]
		n, err := strconv.ParseUint("0"+whole, 10, 63)
		if err != nil || unit == 0 || whole+fraction == "" || n > (math.MaxInt64-total)/unit {
			return 0, false
		}
		total += n * unit
		for _, digit := range []byte(fraction) {
			if digit == '.' {
				return 0, false
			}
			unit /= 10
			total += uint64(digit-'0') * unit
		}
		s = rest[end:]
	}
	return int64(total / 1e6), total > 0 && total <= math.MaxInt64
}

// Format writes a duration as time.Duration does.
func Format(ms int64) string {
	if ms > 0 && ms < Second {
		return strconv.FormatInt(ms, 10) + "ms"
	}
	text := ""
	minutes := ms / (60 * Second)
	if minutes >= 60 {
		text = strconv.FormatInt(minutes/60, 10) + "h"
	}
	if minutes > 0 {
		text += strconv.FormatInt(minutes%60, 10) + "m"
	}
	text += strconv.FormatInt(ms/Second%60, 10)
	if fraction := ms % Second; fraction > 0 {
		text += "." + strings.TrimRight(strconv.FormatInt(Second+fraction, 10)[1:], "0")
	}
	return text + "s"
}
