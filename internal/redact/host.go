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
// both. Of a name without a dot that is so only where it is meant for one, or where
// services are commonly called so: "hunter2" could be a host as well.
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

// maxGroups is how many groups an IPv6 address has that could be no key.
const maxGroups = 4

// isAddress reports whether a text is an IP address, in brackets or not. One of
// IPv6 that isn't shortened has 128 bits that may as well be a secret, as may its
// zone.
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
// "db1": neither an ID nor a key does.
var label = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + labelWord + `)(?:[-_](?:` + labelWord + `)){0,4}$`)
})

const labelWord = `[a-z]{1,18}[0-9]{0,2}|[0-9]{1,5}`

// maxHost is how long a name of words is, in bytes.
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

// localDomains end names that no public registry has.
var localDomains = []string{
	"local", "localhost", "localdomain", "internal", "test", "example", "invalid", "lan", "home", "corp", "intranet", "svc",
}

// commonDomains are those of the domains at the top of all that are no words, besides
// the countries' of two letters.
var commonDomains = []string{"com", "net", "org", "edu", "gov", "info", "dev", "app", "cloud"}

// isDomain reports whether a name ends in a domain that there is: a token of parts
// with dots between them does not. "tiger.ocean.blue" is taken for a host only where
// it is meant for one.
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

// isHostURL reports whether a value is a URL of a scheme, a host and maybe a port.
func isHostURL(value string) bool {
	before, after, ok := strings.Cut(value, "://")
	return ok && scheme().MatchString(before) && isHostPort(strings.TrimSuffix(after, "/"), true)
}
