package abi

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Encode returns v in JSON, byte for byte as encoding/json does. The error is that of a
// [Getter].
func Encode(v Object) ([]byte, error) {
	var e encoder
	e.object(v)
	return e.out, e.err
}

type encoder struct {
	out []byte
	err error
}

func (e *encoder) object(v Object) {
	e.out = append(e.out, '{')
	start := len(e.out)
	for _, f := range v.Fields() {
		name, omitEmpty := strings.CutSuffix(f.Name, ",omitempty")
		before := len(e.out)
		if before > start {
			e.out = append(e.out, ',')
		}
		e.out = append(appendString(e.out, name), ':')
		if empty := e.value(f.To); empty && omitEmpty {
			e.out = e.out[:before]
		}
	}
	e.out = append(e.out, '}')
}

// value appends a value, and reports whether it is empty.
func (e *encoder) value(from any) (empty bool) {
	switch v := from.(type) {
	case *string:
		e.out = appendString(e.out, *v)
		return *v == ""
	case *bool:
		e.out = strconv.AppendBool(e.out, *v)
		return !*v
	case *int:
		e.out = strconv.AppendInt(e.out, int64(*v), 10)
		return *v == 0
	case *int64:
		e.out = strconv.AppendInt(e.out, *v, 10)
		return *v == 0
	case *[]string:
		return e.list(&list[string]{v})
	case *map[string]string:
		return e.mapping(&mapping[string]{v})
	case *JSON:
		e.own(v)
		return len(*v) == 0
	case Object:
		e.object(v)
	case Getter:
		e.own(v)
	case listed:
		return e.list(v)
	case mapped:
		return e.mapping(v)
	case optionally:
		to := v.get()
		if to == nil {
			e.out = append(e.out, "null"...)
			return true
		}
		e.value(to)
	case *EnvState:
		return e.value((*string)(v))
	default:
		panic("abi: a field of an unsupported type")
	}
	return false
}

func (e *encoder) own(v Getter) {
	data, err := v.GetJSON()
	if err != nil {
		e.err = err
	}
	e.out = append(e.out, data...)
}

func (e *encoder) list(l listed) (empty bool) {
	size := l.size()
	if size < 0 {
		e.out = append(e.out, "null"...)
		return true
	}
	e.out = append(e.out, '[')
	for i := range size {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.value(l.at(i))
	}
	e.out = append(e.out, ']')
	return size == 0
}

func (e *encoder) mapping(m mapped) (empty bool) {
	if m.size() < 0 {
		e.out = append(e.out, "null"...)
		return true
	}
	e.out = append(e.out, '{')
	for i, key := range m.keys() {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.out = append(appendString(e.out, key), ':')
		e.value(m.get(key))
	}
	e.out = append(e.out, '}')
	return m.size() == 0
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string. Like encoding/json, it escapes what HTML and
// JavaScript would read.
func appendString(out []byte, s string) []byte {
	out = append(out, '"')
	for i, size := 0, 0; i < len(s); i += size {
		var r rune
		switch r, size = utf8.DecodeRuneInString(s[i:]); r {
		case '"', '\\':
			out = append(out, '\\', byte(r))
		case '\b':
			out = append(out, `\b`...)
		case '\f':
			out = append(out, `\f`...)
		case '\n':
			out = append(out, `\n`...)
		case '\r':
			out = append(out, `\r`...)
		case '\t':
			out = append(out, `\t`...)
		case '<', '>', '&', '\u2028', '\u2029':
			out = appendEscaped(out, r)
		default:
			if r < ' ' || r == utf8.RuneError && size == 1 {
				out = appendEscaped(out, r)
				continue
			}
			out = utf8.AppendRune(out, r)
		}
	}
	return append(out, '"')
}

func appendEscaped(out []byte, r rune) []byte {
	return append(out, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}
