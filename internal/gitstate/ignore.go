package gitstate

import (
	"regexp"
	"slices"
	"strings"
)

// maxIgnore is the most bytes of a file of patterns.
const maxIgnore = 1 << 20

// ignoreRules are patterns; the last match decides.
type ignoreRules []ignoreRule

// ignoreRule is one pattern. https://git-scm.com/docs/gitignore
type ignoreRule struct {
	match   *regexp.Regexp
	base    string // what it is relative to: "." or a directory
	dirOnly bool
	keeps   bool // a match is not ignored
}

func (r ignoreRules) with(more ignoreRules) ignoreRules { return append(slices.Clip(r), more...) }

// match reports whether a path from the working tree's root is ignored. Its parents
// are not.
func (r ignoreRules) match(name string, isDir bool) bool {
	for _, rule := range slices.Backward(r) {
		local, ok := name, true
		if rule.base != "." {
			local, ok = strings.CutPrefix(name, rule.base+"/")
		}
		if ok && (isDir || !rule.dirOnly) && rule.match.MatchString(local) {
			return !rule.keeps
		}
	}
	return false
}

func readIgnore(file, base string) ignoreRules {
	var rules ignoreRules
	for line := range strings.Lines(readGit(file, maxIgnore)) {
		if rule, ok := parseIgnore(line, base); ok {
			rules = append(rules, rule)
		}
	}
	return rules
}

func parseIgnore(line, base string) (ignoreRule, bool) {
	line = strings.TrimRight(line, "\r\n")
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	if line == "" || line[0] == '#' {
		return ignoreRule{}, false
	}
	rule := ignoreRule{base: base}
	if line, rule.keeps = strings.CutPrefix(line, "!"); line == "" {
		return rule, false
	}
	line, rule.dirOnly = strings.CutSuffix(line, "/")
	anchored := strings.Contains(line, "/")
	expression := globExpression(strings.TrimPrefix(line, "/"))
	if !anchored {
		expression = "(?:.*/)?" + expression
	}
	var err error
	rule.match, err = regexp.Compile("^(?s:" + expression + ")$")
	return rule, err == nil
}

// globExpression translates a pattern to a regular expression.
func globExpression(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		switch rest := glob[i:]; {
		case strings.HasPrefix(rest, "**/") && (i == 0 || glob[i-1] == '/'):
			b.WriteString("(?:.*/)?")
			i += 2
		case rest == "**" && i > 0 && glob[i-1] == '/':
			b.WriteString(".+")
			i++
		case rest[0] == '*':
			b.WriteString("[^/]*")
		case rest[0] == '?':
			b.WriteString("[^/]")
		case rest[0] == '[':
			class, n := classExpression(rest)
			b.WriteString(class)
			i += n - 1
		case rest[0] == '\\' && len(rest) > 1:
			i++
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	return b.String()
}

// classExpression translates a character class and returns its length in the pattern.
// A class without an end matches nothing.
func classExpression(glob string) (class string, n int) {
	var b strings.Builder
	b.WriteByte('[')
	i := 1
	if i < len(glob) && (glob[i] == '!' || glob[i] == '^') {
		b.WriteString("^/")
		i++
	}
	for first := true; i < len(glob); first = false {
		switch c := glob[i]; {
		case c == ']' && !first:
			b.WriteByte(']')
			return b.String(), i + 1
		case strings.HasPrefix(glob[i:], "[:") && strings.Contains(glob[i:], ":]"):
			end := i + strings.Index(glob[i:], ":]") + 2
			b.WriteString(glob[i:end])
			i = end
			continue
		case c == '\\' && i+1 < len(glob):
			i++
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		case c == '-':
			b.WriteByte('-')
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
		i++
	}
	return `[^\x00-\x{10FFFF}]`, len(glob)
}
