package main

import (
	"strconv"
	"strings"
)

// containsAny reports whether a text has one of the words, which | separates.
func containsAny(text, words string) bool {
	for word := range strings.SplitSeq(words, "|") {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// lines calls each with the lines of a text, without blanks around them.
func lines(text string, each func(line string)) {
	for line := range strings.Lines(text) {
		each(strings.TrimSpace(line))
	}
}

// assigned returns the string after "key =" or "key:" at the beginning of a line, without
// quotes. It is for TOML, YAML and properties, and understands one line.
func assigned(text, key string) string {
	value := ""
	lines(text, func(line string) {
		rest, ok := strings.CutPrefix(line, key)
		if rest = strings.TrimSpace(rest); value != "" || !ok || rest == "" || rest[0] != '=' && rest[0] != ':' {
			return
		}
		value = unquoted(strings.TrimSpace(rest[1:]))
	})
	return value
}

// unquoted returns a string without its quotes, or a word without a comment.
func unquoted(text string) string {
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		if end := strings.IndexByte(text[1:], text[0]); end >= 0 {
			return text[1 : 1+end]
		}
	}
	text, _, _ = strings.Cut(text, " #")
	return strings.TrimSpace(text)
}

// isPortNumber reports whether a number can be the port of a server in development.
func isPortNumber(n int) bool { return n == 80 || n == 443 || n >= 1000 && n <= 65535 }

// numberAt returns the number at the start of a text, 0 if there is none.
func numberAt(text string) int {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	if end == 0 || end > 5 || end < len(text) && (isWord(text[end]) || text[end] == '.') {
		return 0
	}
	n, err := strconv.Atoi(text[:end])
	if err != nil {
		return 0
	}
	return n
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// words splits a command at blanks. ok is false if only a shell can read it.
func words(command string) (argv []string, ok bool) {
	if strings.ContainsAny(command, "\"'\\$`&|;<>()*?[]{}~#!") {
		return nil, false
	}
	argv = strings.Fields(command)
	return argv, len(argv) > 0 && !strings.Contains(argv[0], "=")
}
