package yamldoc

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// The supported tags, in their short form.
const (
	nullTag   = "!!null"
	boolTag   = "!!bool"
	intTag    = "!!int"
	floatTag  = "!!float"
	stringTag = "!!str"
	timeTag   = "!!timestamp"
	listTag   = "!!seq"
	mapTag    = "!!map"
	mergeTag  = "!!merge"
)

var (
	wholeNumber = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[-+]?(?:[0-9][0-9_]*|0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+)$`)
	})
	realNumber = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$`)
	})
	jsonNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`) })
)

// tagOf returns the tag of a scalar. The parser reads a number that exceeds its types
// as a float or a string, and a << that is not a key as one.
func tagOf(n *yaml.Node) string {
	tag := n.ShortTag()
	if tag == mergeTag {
		return stringTag
	}
	if n.Style != 0 || (tag != stringTag && tag != floatTag) {
		return tag
	}
	switch {
	case wholeNumber().MatchString(n.Value):
		return intTag
	case realNumber().MatchString(n.Value):
		return floatTag
	}
	return tag
}

func (c *converter) scalar(n *yaml.Node, out *Node) {
	out.text, out.written = n.Value, n.Value
	switch tag := tagOf(n); tag {
	case nullTag:
		out.kind = KindNull
		c.rewrite(n, out, nullText, "%q is not null")
	case boolTag:
		out.kind = KindBool
		c.rewrite(n, out, boolText, "%q is neither true nor false")
	case stringTag, timeTag:
		out.kind = KindString
	case intTag:
		out.kind = KindInt
		c.rewrite(n, out, intText, "%q is not a JSON number")
	case floatTag:
		out.kind = KindFloat
		c.rewrite(n, out, floatText, "%q is not a JSON number")
	default:
		c.problems.Add(c.pos(n), out.field, fmt.Sprintf("unsupported tag %q", tag), "")
	}
}

// rewrite converts a value to JSON's form. A tag in the file can claim a type that the
// value does not have; the parser does not check that.
func (c *converter) rewrite(n *yaml.Node, out *Node, text func(string) (string, bool), otherwise string) {
	written, ok := text(n.Value)
	if !ok {
		c.problems.Add(c.pos(n), out.field, fmt.Sprintf(otherwise, n.Value), "put it in quotes if it is meant as text")
	}
	out.text = written
}

func nullText(s string) (string, bool) {
	return "", s == "" || s == "~" || strings.EqualFold(s, "null")
}

func boolText(s string) (string, bool) {
	s = strings.ToLower(s)
	return s, s == "true" || s == "false"
}

func intText(s string) (string, bool) {
	s = strings.ReplaceAll(s, "_", "")
	i, ok := new(big.Int).SetString(s, 0)
	if !ok {
		// A number with a leading 0 and an 8 or 9 is decimal.
		i, ok = new(big.Int).SetString(s, 10)
	}
	if !ok {
		return "", false
	}
	return i.String(), true
}

func floatText(s string) (string, bool) {
	s = strings.ReplaceAll(s, "_", "")
	if jsonNumber().MatchString(s) {
		return s, true
	}
	f, err := strconv.ParseFloat(s, 64)
	text := strconv.FormatFloat(f, 'g', -1, 64)
	return text, err == nil && jsonNumber().MatchString(text)
}
