package capability

import (
	"path"
	"strings"
)

// A rule covers another if it matches whatever the other does. What is here
// may miss that two patterns are so related, and never says so of two that
// aren't.

// globCovers tells whether one pattern matches all that another does. A * of
// the other is a character that only a * of the first matches.
func globCovers(a, b string) bool {
	head, rest, ok := strings.Cut(a, "*")
	if !ok {
		return a == b
	}
	if !strings.HasPrefix(b, head) {
		return false
	}
	b = b[len(head):]
	for {
		part, more, ok := strings.Cut(rest, "*")
		if !ok {
			return strings.HasSuffix(b, part)
		}
		i := strings.Index(b, part)
		if i < 0 {
			return false
		}
		b, rest = b[i+len(part):], more
	}
}

// listCovers is globCovers for lists of words in which ** is any number of
// them.
func listCovers(a, b []string, covers func(a, b string) bool) bool {
	switch {
	case len(a) == 0:
		return len(b) == 0
	case a[0] == deep:
		return listCovers(a[1:], b, covers) || len(b) > 0 && listCovers(a, b[1:], covers)
	case len(b) == 0 || b[0] == deep:
		return false
	}
	return covers(a[0], b[0]) && listCovers(a[1:], b[1:], covers)
}

// strictCovers is globCovers for words as rules that allow match them: a
// pattern that begins with no - matches no word that does.
func strictCovers(a, b string) bool {
	if strings.HasPrefix(b, "-") && !strings.HasPrefix(a, "-") {
		return false
	}
	return globCovers(a, b)
}

// covers compares two rules of one list, by its key.
func covers(key string, deny bool, a, b *Rule) bool {
	if l, ok := textListOf(key); ok {
		return l.covers(deny, a.Text, b.Text)
	}
	switch key {
	case "exec":
		if a.sha256 != "" && a.sha256 != b.sha256 {
			return false
		}
		return commandCovers(a.words, b.words, deny)
	case "files.read", "files.env", "files.write", "build.contexts":
		return listCovers(pathWords(path.Clean(a.Text)), pathWords(path.Clean(b.Text)), globCovers)
	case "files.list":
		return listCovers(pathWords(listedPattern(a)), pathWords(listedPattern(b)), globCovers)
	case "net.connect", "net.listen":
		return portsCover(a, b)
	case "build.tags":
		return listCovers(strings.Split(a.Text, "/"), strings.Split(b.Text, "/"), globCovers)
	case "env.pass":
		// What has to be named in full is matched by no pattern.
		if _, hazard := Dangerous(b.Text); hazard && !deny && !strings.Contains(b.Text, "*") {
			return a.Text == b.Text
		}
	}
	return globCovers(a.Text, b.Text)
}

// commandCovers compares two commands that stand in one list.
func commandCovers(a, b []string, deny bool) bool {
	nameA, nameB, match := cleanFile(a[0]), cleanFile(b[0]), strictCovers
	if deny {
		nameA, nameB, match = fold(nameA), fold(nameB), globCovers
	}
	return programCovers(nameA, nameB, match) && (a[0] == deep || listCovers(a[1:], b[1:], match))
}

// programCovers compares first words, which are of one kind or never meet.
func programCovers(a, b string, match func(a, b string) bool) bool {
	bare := !strings.Contains(b, "/")
	switch {
	case strings.Contains(a, "/") == bare:
		return false
	case bare:
		return a == deep || b != deep && match(a, b)
	case isAbs(a) != isAbs(b):
		return false
	}
	return sameDepthCovers(path.Clean(a), path.Clean(b))
}

// sameDepthCovers compares paths in which no * crosses a slash.
func sameDepthCovers(a, b string) bool {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	if len(as) != len(bs) {
		return false
	}
	for i := range as {
		if !globCovers(as[i], bs[i]) {
			return false
		}
	}
	return true
}

// denies tells whether a rule that denies matches all that one which allows
// does.
func denies(key string, deny, allow *Rule) bool {
	if key != "exec" {
		return covers(key, true, deny, allow)
	}
	name, called := fold(cleanFile(deny.words[0])), fold(cleanFile(allow.words[0]))
	if deny.words[0] == deep {
		return true
	}
	if !strings.Contains(name, "/") && called != deep {
		// A bare name denies the program by whatever path.
		called = base(called)
	}
	return programCovers(name, called, globCovers) && listCovers(deny.words[1:], allow.words[1:], globCovers)
}
