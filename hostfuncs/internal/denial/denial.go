// Package denial finds, in what programs print, the files and ports that the system
// denied to them. It goes by the words that are known of shells, of the usual tools,
// and of programs in C, Go, Node.js and Python. It is a help for who reads an error,
// and decides nothing: a program can print what it likes.
package denial

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is what was denied.
type Kind int

// The kinds of things that are denied.
const (
	File    Kind = iota // a file, a directory, or a socket that is one
	Connect             // to connect to a TCP port
	Listen              // to listen on a TCP port
	UDP                 // to use a port of UDP
)

// Found is one thing that was denied to a program.
type Found struct {
	Kind Kind
	// Path is of files, as the program says it.
	Path string
	// Moves is that a file was to be removed, renamed or linked.
	Moves bool
	// Port is of the other kinds.
	Port int
}

// MaxLine is how many bytes of a line are looked at.
const MaxLine = 2000

// maxFound is how much is found in one line.
const maxFound = 4

var (
	// denied are the words for what the kernel says.
	denied = regexp.MustCompile(`(?i:permission denied)|Operation not permitted|\bEACCES\b|\bEPERM\b`)
	// modes are changes to which no rule is.
	modes = regexp.MustCompile(`\b(?:ch(?:mod|own|grp|attr)|changing (?:permissions|ownership|group)|l?utimens?(?:at)?|setting times)\b`)
	moves = regexp.MustCompile(`\b(?:remov(?:e|ing)|unlink(?:at)?|rmdir|renam(?:e|ing)(?:at)?|mov(?:e|ing)|delet(?:e|ing)|(?:sym)?link(?:at)?)\b`)
)

// Find gives what a line says that was denied, nothing where it says nothing of it.
func Find(line string) []Found {
	line = line[:min(len(line), MaxLine)]
	at := denied.FindStringIndex(line)
	if at == nil || !utf8.ValidString(line) || modes.MatchString(line) {
		return nil
	}
	found := findPorts(line)
	if found == nil {
		moved := moves.MatchString(line)
		for _, path := range findPaths(line, at[0]) {
			found = append(found, Found{Path: path, Moves: moved})
		}
	}
	return found[:min(len(found), maxFound)]
}

// talk is how programs name a port, or a socket, that was denied to them: the first
// group is what is named.
var talk = []struct {
	words *regexp.Regexp
	kind  Kind
}{
	// Go.
	{regexp.MustCompile(`\blisten udp[46]? (\S*:\d+): `), UDP},
	{regexp.MustCompile(`\bdial udp[46]? (\S*:\d+): `), UDP},
	{regexp.MustCompile(`\blisten tcp[46]? (\S*:\d+): `), Listen},
	{regexp.MustCompile(`\bdial tcp[46]? (\S*:\d+): `), Connect},
	{regexp.MustCompile(`\b(?:dial|listen) unix(?:packet)? (/\S+): `), File},
	// Node.js.
	{regexp.MustCompile(`\blisten E(?:ACCES|PERM)(?:: permission denied|: operation not permitted)? (\S+)`), Listen},
	{regexp.MustCompile(`\bconnect E(?:ACCES|PERM)(?:: permission denied|: operation not permitted)? (\S+)`), Connect},
	// C.
	{regexp.MustCompile(`\bbind\(\) to (\S*:\d+) failed`), Listen},
	{regexp.MustCompile(`\b(?i:listen|bind)\S* .*\bport (\d{1,5})\b`), Listen},
	{regexp.MustCompile(`\bport (\d{1,5})\b`), Connect},
}

func findPorts(line string) []Found {
	for _, t := range talk {
		m := t.words.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if strings.Contains(m[1], "/") {
			return []Found{{Path: m[1]}}
		}
		port, err := strconv.ParseUint(m[1][strings.LastIndexByte(m[1], ':')+1:], 10, 16)
		if err == nil && port > 0 {
			return []Found{{Kind: t.kind, Port: int(port)}}
		}
	}
	return nil
}

var (
	// A quote within a word, as in can't, begins nothing.
	quoted = regexp.MustCompile(`(?:^|[^\pL\pN])(?:'([^']+)'|"([^"]+)"|‘([^’]+)’)`)
	spawn  = regexp.MustCompile(`\bspawn(?:Sync)? (\S.*?) E(?:ACCES|PERM)`)
	// verb is what stands before a path that isn't quoted.
	verb = regexp.MustCompile(`^(?:(?:[Cc]annot|[Cc]an't|[Cc]ould not|[Uu]nable to|[Ff]ailed to) )?` +
		`(?:open|read|write|create|mkdir|make|remove|unlinkat|unlink|rmdir|rename|symlink|link|truncate|fork/exec|execute|exec|readdirent|lstat|stat|chdir|access)` +
		`(?: directory| file)? (\S.*)$`)
	// hollow are words that stand between a path and that it was denied.
	hollow = regexp.MustCompile(`^(?:[Cc]annot \w+|\w+ failed|socket|bind|connect|exec|error|Error|E(?:ACCES|PERM)|.*\[Errno \d+\]|PermissionError)?$`)
)

// findPaths gives the paths of a line that says at some place that they were denied.
func findPaths(line string, at int) []string {
	if m := spawn.FindStringSubmatch(line); m != nil {
		return m[1:]
	}
	if all := quoted.FindAllStringSubmatch(line, maxFound); all != nil {
		var paths []string
		for _, m := range all {
			paths = append(paths, m[1]+m[2]+m[3])
		}
		return paths
	}
	parts := strings.Split(strings.TrimRight(line[:at], " :("), ": ")
	for i, part := range slices.Backward(parts) {
		if part = strings.TrimSpace(part); hollow.MatchString(part) {
			continue
		}
		m := verb.FindStringSubmatch(part)
		switch {
		case m == nil && i == 0:
			return nil // the program's name
		case m == nil:
			return []string{part}
		case strings.HasPrefix(part, "rename ") || strings.HasPrefix(part, "link ") || strings.HasPrefix(part, "symlink "):
			return strings.Fields(m[1])
		}
		return m[1:]
	}
	return nil
}
