package redact

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

// namesHost reports whether a variable's name says that its value is a host:
// DB_HOST, COOKIE_DOMAIN, LISTEN_ADDR.
func namesHost(name string) bool {
	parts := nameParts(name)
	if len(parts) == 0 {
		return false
	}
	return slices.Contains([]string{"HOST", "HOSTNAME", "DOMAIN", "ADDR", "ADDRESS"}, parts[len(parts)-1])
}

// isHostPort reports whether a value is evidently a host, a port after a colon, or
// both. A name without a dot counts only if the variable is meant for a host, or if it
// is a common name of services: "hunter2" could be a host as well.
func isHostPort(value string, meant bool) bool {
	host, port := value, ""
	if at := strings.LastIndexByte(value, ':'); at >= 0 && !isAddress(value) {
		if host, port = value[:at], value[at+1:]; !isPort(port) {
			return false
		}
	}
	if port != "" && (host == "" || host == "*") {
		return true
	}
	return isAddress(host) || isHostName(host, meant)
}

var portNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{1,5}$`) })

func isPort(text string) bool { return portNumber().MatchString(text) }

// maxGroups is the most groups of an IPv6 address that cannot be a key.
const maxGroups = 4

// isAddress reports whether a text is an IP address, with or without brackets. The 128
// bits of a full IPv6 address could be a secret, as could its zone.
func isAddress(text string) bool {
	bare := text
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		bare = text[1 : len(text)-1]
	}
	addr, err := netip.ParseAddr(bare)
	if err != nil || addr.Zone() != "" {
		return false
	}
	if addr.Is4() {
		return bare == text
	}
	groups := strings.FieldsFunc(bare, func(r rune) bool { return r == ':' })
	return strings.Contains(bare, "::") && len(groups) <= maxGroups
}

// label is a part of a host's name that looks like words, as in "ec2-10-0-0-5" or
// "db1". IDs and keys do not.
var label = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + labelWord + `)(?:[-_](?:` + labelWord + `)){0,4}$`)
})

const labelWord = `[a-z]{1,18}[0-9]{0,2}|[0-9]{1,5}`

// maxHost is the most bytes of a host's name.
const maxHost = 80

func isHostName(host string, meant bool) bool {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(host) > maxHost || strings.Trim(host, "0123456789-_.") == "" {
		return false
	}
	for _, l := range labels {
		if !label().MatchString(l) {
			return false
		}
	}
	if len(labels) == 1 {
		return meant || services()[host]
	}
	return isDomain(labels, meant)
}

// localDomains are the last labels of names without a public registry.
var localDomains = []string{
	"local", "localhost", "localdomain", "internal", "test", "example", "invalid", "lan", "home", "corp", "intranet", "svc",
}

// commonDomains are top-level domains that are not words. Those of countries have two
// letters.
var commonDomains = []string{"com", "net", "org", "edu", "gov", "info", "dev", "app", "cloud"}

// isDomain reports whether a name ends in an existing domain; a token with dots does
// not. "tiger.ocean.blue" is a host only if the variable is meant for one.
func isDomain(labels []string, meant bool) bool {
	last := labels[len(labels)-1]
	if slices.Contains(localDomains, last) {
		return true
	}
	suffix, icann := publicsuffix.PublicSuffix(strings.Join(labels, "."))
	exists := icann || strings.Contains(suffix, ".")
	return exists && (meant || len(last) == 2 || slices.Contains(commonDomains, last))
}

var scheme = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z]{2,12}(?:\+[a-z]{2,8})?$`) })

// isHostURL reports whether a value is a URL of a scheme, a host and an optional port.
func isHostURL(value string) bool {
	before, after, ok := strings.Cut(value, "://")
	return ok && scheme().MatchString(before) && isHostPort(strings.TrimSuffix(after, "/"), true)
}
