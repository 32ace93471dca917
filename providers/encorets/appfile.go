package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// appFields are the fields of an encore.app that matter here.
type appFields struct{ id abi.JSON }

func (a *appFields) Fields() []abi.Field { return []abi.Field{{Name: "id", To: &a.id}} }

// appID reads the ID in an encore.app as encore does. It is empty for an app that is not
// linked.
func appID(data []byte) (string, error) {
	data = standard(data)
	var app appFields
	err := abi.Unmarshal(data, &app)
	if _, syntax := errors.AsType[*abi.SyntaxError](err); syntax {
		return "", err
	}
	if err != nil {
		return "", errors.New("expected an object, got " + kind(data))
	}
	id, ok := app.id.Text()
	if ok || app.id == nil || string(app.id) == "null" {
		return id, nil
	}
	return "", errors.New("id: expected a string, got " + kind(app.id))
}

// kind names the kind of a value as encoding/json does.
func kind(value []byte) string {
	switch first := strings.TrimLeft(string(value), " \t\r\n"); first[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	}
	return "number"
}

// standard replaces comments and trailing commas by white space, which leaves JSON.
func standard(data []byte) []byte {
	text, out := string(data), slices.Clone(data)
	comma := -1    // after a value, with nothing but white space behind it
	value := false // before the next comma
	for i := 0; i < len(out); i++ {
		switch c := out[i]; c {
		case ' ', '\t', '\r', '\n':
		case '/':
			end := comment(text[i:])
			for j := i; j < i+end; j++ {
				if out[j] != '\n' {
					out[j] = ' '
				}
			}
			i += max(end-1, 0)
		case ',':
			comma = -1
			if value {
				comma = i
			}
			value = false
		default:
			if comma >= 0 && (c == '}' || c == ']') {
				out[comma] = ' '
			}
			if c == '"' {
				i += quoted(text[i:])
			}
			comma, value = -1, c != '{' && c != '['
		}
	}
	return out
}

// quoted returns the length of a string without its last quote.
func quoted(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(text)
}

// comment returns the length of a comment, 0 if there is none or it does not end.
func comment(text string) int {
	start, end := "/*", "*/"
	if strings.HasPrefix(text, "//") {
		start, end = "//", "\n"
	}
	rest, ok := strings.CutPrefix(text, start)
	if length := strings.Index(rest, end); ok && length >= 0 {
		return len(start) + length + len(end)
	}
	return 0
}

// brokenAt returns an error in a file with its place as file:line:column.
func brokenAt(file string, data []byte, err error) string {
	wrong, ok := errors.AsType[*abi.SyntaxError](err)
	if !ok {
		return file + ": " + err.Error()
	}
	before := string(data[:wrong.Offset])
	message := wrong.Message
	if wrong.Offset == len(data) {
		message = "parsing value: unexpected EOF"
	}
	line := strings.Count(before, "\n")
	column := wrong.Offset - strings.LastIndexByte(before, '\n')
	return file + ":" + strconv.Itoa(line+1) + ":" + strconv.Itoa(column) + ": " + message
}
