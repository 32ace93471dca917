package abi

import (
	"strconv"
	"strings"
)

// UnderPointer returns the JSON pointer (RFC 6901) to a key below another.
func UnderPointer(pointer, key string) string {
	out := []byte(pointer + "/")
	for i := range len(key) {
		switch key[i] {
		case '~':
			out = append(out, "~0"...)
		case '/':
			out = append(out, "~1"...)
		default:
			out = append(out, key[i])
		}
	}
	return string(out)
}

// FieldName writes a JSON pointer as a field: /dev/command/0 is dev.command[0].
func FieldName(pointer string) string {
	var out []byte
	for rest, more := strings.TrimPrefix(pointer, "/"), true; more; {
		var key string
		key, rest, more = strings.Cut(rest, "/")
		if _, err := strconv.ParseUint(key, 10, 32); err == nil && len(out) > 0 {
			out = append(append(append(out, '['), key...), ']')
			continue
		}
		if len(out) > 0 {
			out = append(out, '.')
		}
		out = appendKey(out, key)
	}
	return string(out)
}

// appendKey appends a key of a pointer without its escapes.
func appendKey(out []byte, key string) []byte {
	for i := 0; i < len(key); i++ {
		c := key[i]
		if next := i + 1; c == '~' && next < len(key) && (key[next] == '0' || key[next] == '1') {
			c, i = "~/"[key[next]-'0'], next
		}
		out = append(out, c)
	}
	return out
}
