package redact

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

//go:embed words.txt
var wordsText string

//go:embed services.txt
var servicesText string

//go:embed names.txt
var namesText string

var (
	words     = sync.OnceValue(func() map[string]bool { return listed(wordsText) })
	services  = sync.OnceValue(func() map[string]bool { return listed(servicesText) })
	safeNames = sync.OnceValue(func() map[string]bool { return listed(namesText) })
)

// listed reads a list with one word per line.
func listed(text string) map[string]bool {
	list := make(map[string]bool)
	for line := range strings.Lines(text) {
		if word := strings.TrimSpace(line); word != "" && word[0] != '#' {
			list[word] = true
		}
	}
	return list
}

// Reasons not to mask a value of a dotenv file.
const (
	PlainEmpty  = "empty"
	PlainNumber = "a number"
	PlainWord   = "a common word"
	PlainHost   = "a host"
	PlainURL    = "the URL of a host"
)

// Plain returns the reason why a variable's value is evidently not a secret. It is
// empty if the value has to be masked: the name is that of a secret, or none of the
// reasons applies. Plain depends on its arguments alone.
//
// # Notes
//
// A secret that is shown is lost, a word that is masked is only a nuisance. So the rules
// are strict: a host's name looks like words and ends in a domain that exists, a URL has
// no path, query or user.
func Plain(name, value string) string {
	switch {
	case value == "":
		return PlainEmpty
	case SecretName(name):
		return ""
	case isNumber(value):
		return PlainNumber
	case isWord(value):
		return PlainWord
	case isHostPort(value, namesHost(name)):
		return PlainHost
	case isHostURL(value):
		return PlainURL
	}
	return ""
}

// secretParts are parts of the names of secrets.
var secretParts = []string{
	"PASS", "PWD", "TOKEN", "SECRET", "KEY", "PIN", "WEBHOOK", "DSN", "AUTH", "CRED",
}

// SecretName reports whether a variable's name is that of a secret, in any case.
// Ordinary words that contain the same letters, such as SHIPPING, are ignored if they
// are a whole part of the name.
func SecretName(name string) bool {
	for _, part := range nameParts(name) {
		if safeNames()[strings.ToLower(part)] {
			continue
		}
		for _, secret := range secretParts {
			if strings.Contains(part, secret) {
				return true
			}
		}
	}
	return false
}

// nameParts returns a name's words in upper case: letters between other characters.
func nameParts(name string) []string {
	return strings.FieldsFunc(strings.ToUpper(name), func(r rune) bool { return !unicode.IsLetter(r) })
}

// number is a number, a time, a size or a percentage.
var number = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[-+]?([0-9]*\.?[0-9]*)(?i:ms|[smhdw]|[kmgt]?i?b|[kmgt]|%)?$`)
})

// maxDigits is the most digits of a number that is not a secret.
const maxDigits = 5

func isNumber(value string) bool {
	m := number().FindStringSubmatch(value)
	if m == nil {
		return false
	}
	digits := len(m[1]) - strings.Count(m[1], ".")
	return digits > 0 && digits <= maxDigits
}

func isWord(value string) bool {
	lower := strings.ToLower(value)
	return words()[lower] || services()[lower]
}
