package capability

import (
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Grant is a line that is missing in a policy. The zero Grant is no line, but
// any mention of the provider.
type Grant struct {
	// Key is where the line belongs, such as env.pass.
	Key string
	// Rule is the line, in YAML.
	Rule string
}

// grantOf is the rule for one text.
func grantOf(key, text string) Grant { return Grant{Key: key, Rule: yamldoc.Quote(asPattern(text))} }

// asPattern is the narrowest pattern that matches a text and that can be
// written. A * can only be written as the pattern that it is, and ** would
// stand for more; bytes that are not UTF-8 cannot be written at all.
func asPattern(text string) string {
	text = strings.ToValidUTF8(text, "*")
	for strings.Contains(text, "**") {
		text = strings.ReplaceAll(text, "**", "*")
	}
	return text
}
