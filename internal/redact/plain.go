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

// listed reads a list of one word a line.
func listed(text string) map[string]bool {
	list := make(map[string]bool)
	for line := range strings.Lines(text) {
		if word := strings.TrimSpace(line); word != "" && word[0] != '#' {
			list[word] = true
		}
	}
	return list
}

// Why a value of a dotenv file needs no mask.
const (
	PlainEmpty  = "empty"
	PlainNumber = "a number"
	PlainWord   = "a common word"
	PlainHost   = "a host"
	PlainURL    = "the URL of a host"
)

// Plain says why a variable's value is evidently no secret, with one of the
// reasons above. It is empty where the value has to be masked: whatever it is, if
// the name is that of a secret, and else if it is none of those. Plain depends on
// its arguments alone.
//
// # Notes
//
// A value that is shown is lost, and one that is masked is a nuisance, so a doubt
// is a mask: a host's name has to look like words and to end in a domain that
// exists, a URL has no path, query or user.
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

// secretParts are what the name of a secret has in it.
var secretParts = []string{
	"PASS", "PWD", "TOKEN", "SECRET", "KEY", "PIN", "WEBHOOK", "DSN", "AUTH", "CRED",
}

// SecretName reports whether a variable has a name that secrets have, in whatever
// case. Ordinary words that only have the same letters, such as SHIPPING, are
// passed over where they are a whole part of the name.
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

// nameParts are a name's words, in capitals: letters between other characters.
func nameParts(name string) []string {
	return strings.FieldsFunc(strings.ToUpper(name), func(r rune) bool { return !unicode.IsLetter(r) })
}

// number is one without its sign, maybe of time, of bytes or a percentage.
var number = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[-+]?([0-9]*\.?[0-9]*)(?i:ms|[smhdw]|[kmgt]?i?b|[kmgt]|%)?$`)
})

// maxDigits is how many digits a number has that is nobody's secret.
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
