package abi

import (
	"strconv"
	"strings"
)

// SplitPointer gives the keys of a JSON pointer (RFC 6901), from the top down.
func SplitPointer(pointer string) []string {
	if pointer == "" {
		return nil
	}
	keys := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, key := range keys {
		keys[i] = unescapeKey.Replace(key)
	}
	return keys
}

// UnderPointer is the JSON pointer to a key below another.
func UnderPointer(pointer, key string) string {
	return pointer + "/" + escapeKey.Replace(key)
}

var (
	escapeKey   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapeKey = strings.NewReplacer("~1", "/", "~0", "~")
)

// FieldName writes a JSON pointer as people write a field: /dev/command/0 is
// dev.command[0].
func FieldName(pointer string) string {
	var b strings.Builder
	for _, key := range SplitPointer(pointer) {
		if _, err := strconv.ParseUint(key, 10, 32); err == nil && b.Len() > 0 {
			b.WriteString("[" + key + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(key)
	}
	return b.String()
}
