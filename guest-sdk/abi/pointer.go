package abi

import (
	"strconv"
	"strings"
)

// UnderPointer returns the JSON pointer (RFC 6901) to a key below another.
func UnderPointer(pointer, key string) string {
	return pointer + "/" + escapeKey.Replace(key)
}

var (
	escapeKey   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapeKey = strings.NewReplacer("~1", "/", "~0", "~")
)

// FieldName writes a JSON pointer as a field: /dev/command/0 is dev.command[0].
func FieldName(pointer string) string {
	var b strings.Builder
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		key = unescapeKey.Replace(key)
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
