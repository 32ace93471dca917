package schema

import (
	"net/url"
	"strconv"
	"strings"
)

// schema is the part of the schema at an address, nil if it is not of this one.
func (t *translator) schema(address string) map[string]any {
	at, fragment, _ := strings.Cut(address, "#")
	if at != place {
		return nil
	}
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		return nil
	}
	found, _ := lookup(t.doc, pointer)
	object, _ := found.(map[string]any)
	return object
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// lookup is the value at a JSON pointer.
func lookup(value any, pointer string) (found any, ok bool) {
	for pointer != "" {
		var key string
		key, pointer, _ = strings.Cut(pointer[1:], "/")
		if pointer != "" {
			pointer = "/" + pointer
		}
		key = unescape.Replace(key)
		switch in := value.(type) {
		case map[string]any:
			value, ok = in[key]
		case []any:
			i, err := strconv.Atoi(key)
			if ok = err == nil && i >= 0 && i < len(in); ok {
				value = in[i]
			}
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
	}
	return value, true
}
