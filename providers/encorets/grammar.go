package main

import "strings"

// Package regexp would be a tenth of the module. The tests have the expressions.

const (
	digits  = "0123456789"
	lower   = "abcdefghijklmnopqrstuvwxyz"
	letters = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	words   = letters + digits + "_"
)

// only reports whether s has no characters but those of a set.
func only(s, set string) bool { return strings.TrimLeft(s, set) == "" }

func isVariable(s string) bool { return s != "" && only(s, words) && !only(s[:1], digits) }

func isSuffix(s string) bool { return len(s) <= 100 && only(s, words+".-") }

// The grammar of references, from
// https://github.com/distribution/reference/blob/v0.6.0/regexp.go

func isTag(s string) bool {
	return s != "" && len(s) <= 128 && only(s, words+".-") && only(s[:1], words)
}

// isComponent takes small letters and digits with one ., one or two _, or any number of -
// between them.
func isComponent(s string) bool {
	for {
		rest := strings.TrimLeft(s, lower+digits)
		if rest == s || rest == "" {
			return rest != s
		}
		switch after := strings.TrimLeft(rest, "-"); {
		case after != rest:
			s = after
		case rest[0] == '.':
			s = rest[1:]
		case rest[0] == '_':
			s = strings.TrimPrefix(rest[1:], "_")
		default:
			return false
		}
	}
}

// isDomain takes names with dots between them, or an IPv6 address in brackets, and then
// perhaps a port.
func isDomain(s string) bool {
	host, port, ported := strings.Cut(s, ":")
	if inner, bracketed := strings.CutPrefix(s, "["); bracketed {
		var closed bool
		host, port, closed = strings.Cut(inner, "]")
		port, ported = strings.CutPrefix(port, ":")
		if !closed || host == "" || !only(host, digits+"abcdefABCDEF:") || !ported && port != "" {
			return false
		}
	} else {
		for _, name := range strings.Split(host, ".") {
			if name == "" || !only(name, letters+digits+"-") || strings.Trim(name, "-") != name {
				return false
			}
		}
	}
	return !ported || port != "" && only(port, digits)
}

// isDigest takes an algorithm and hexadecimal digits.
func isDigest(s string) bool {
	algorithm, sum, _ := strings.Cut(s, ":")
	if len(sum) < 32 || !only(sum, digits+"abcdefABCDEF") {
		return false
	}
	for {
		end := strings.IndexAny(algorithm, "-_+.")
		part := algorithm
		if end >= 0 {
			part = algorithm[:end]
		}
		if part == "" || !only(part, letters+digits) || only(part[:1], digits) {
			return false
		}
		if end < 0 {
			return true
		}
		algorithm = algorithm[end+1:]
	}
}
