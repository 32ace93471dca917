package redact

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		// The language.
		{"NODE_ENV", "development", PlainWord},
		{"NODE_ENV", "Production", PlainWord},
		{"LOG_LEVEL", "debug", PlainWord},
		{"TLS", "false", PlainWord},
		{"DEBUG", "TRUE", PlainWord},
		{"TLS", "on", PlainWord},
		{"DB_USER", "postgres", PlainWord},
		{"AWS_REGION", "eu-central-1", PlainWord},
		{"TZ", "Europe/Berlin", PlainWord},
		{"A", "", PlainEmpty},

		// Numbers.
		{"PORT", "4000", PlainNumber},
		{"N", "0", PlainNumber},
		{"N", "-1", PlainNumber},
		{"N", "99999", PlainNumber},
		{"N", "0.25", PlainNumber},
		{"N", "123.456", ""},
		{"N", "100000", ""},
		{"TIMEOUT", "500ms", PlainNumber},
		{"SIZE", "10MB", PlainNumber},
		{"RATE", "50%", PlainNumber},
		{"N", "1.2.3", ""},
		{"N", "12a", ""},
		{"N", ".", ""},
		{"N", "-", ""},
		{"N", "1e9", ""},

		// Hosts and ports.
		{"HOST", "localhost", PlainWord},
		{"ADDR", "localhost:4000", PlainHost},
		{"LISTEN", ":4000", PlainHost},
		{"LISTEN", "*:80", PlainHost},
		{"HOST", "127.0.0.1", PlainHost},
		{"HOST", "0.0.0.0:4000", PlainHost},
		{"HOST", "::1", PlainHost},
		{"HOST", "[::1]:4000", PlainHost},
		{"HOST", "2001:db8::1", PlainHost},
		{"REDIS", "redis:6379", PlainHost},
		{"A", "api.example.com", PlainHost},
		{"A", "api.example.com:8443", PlainHost},
		{"A", "api.example.com.", PlainHost},
		{"A", "shop.co.uk", PlainHost},
		{"A", "shop.vercel.app", PlainHost},
		{"A", "ec2-203-0-113-25.compute-1.amazonaws.com", PlainHost},
		{"A", "host.docker.internal", PlainHost},
		{"A", "redis.default.svc.cluster.local", PlainHost},
		{"REDIS_HOST", "redis-primary", PlainHost},
		{"redis.host", "redis-primary", PlainHost},
		{"DB_HOST", "db1:5432", PlainHost},
		{"COOKIE_DOMAIN", "ocean.blue", PlainHost},

		// Their URLs.
		{"URL", "http://localhost:3000", PlainURL},
		{"URL", "http://localhost:3000/", PlainURL},
		{"URL", "https://api.example.com", PlainURL},
		{"URL", "https://api.example.com:8443/", PlainURL},
		{"URL", "redis://cache-1:6379", PlainURL},
		{"URL", "mongodb+srv://cluster.example.net", PlainURL},
		{"URL", "http://[::1]:3000", PlainURL},
		{"URL", "ws://api", PlainURL},

		// What is in a URL can be a token.
		{"URL", "https://hooks.example.com/services/T0/B0/x", ""},
		{"URL", "https://api.example.com/v1", ""},
		{"URL", "https://api.example.com/?x=y", ""},
		{"URL", "https://api.example.com?x", ""},
		{"URL", "https://api.example.com#x", ""},
		{"URL", "https://user@api.example.com", ""},
		{"URL", "postgres://app:hunter@localhost:5432", ""},
		{"URL", "https://api.example.com//", ""},
		{"URL", "https://api.example.com:8443:1", ""},
		{"URL", "https://c23b2la0kl1krjcrdj10cndmnioyyyyyn.oast.pro", ""},
		{"URL", "sk-live://localhost", ""},
		{"URL", "https://", ""},
		{"URL", "https:///", ""},

		// What only looks like a host.
		{"A", "hunter2", ""},
		{"A", "hunter2:6379", ""},
		{"A", "admin:12345", ""},
		{"A", "postgres:postgres", ""},
		{"A", "redis-primary", ""},
		{"A", "sk-live-abc.def", ""},
		{"HOST", "sk-live-abc.def", ""},
		{"A", "a.b.c", ""},
		{"A", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", ""},
		{"HOST", "eyjhbgcioijiuzi1nij9.eyjzdwiioiixin0.c2lnbmf0dxjl", ""},
		{"HOST", "9f86d081884c7d659a2feaa0c55ad015", ""},
		{"A", "9f86d081884c7d65.example.com", ""},
		{"A", "tiger.ocean.blue", ""},
		{"HOST", "16:27:ac:a5:76:28:2d:36", ""},
		{"HOST", "2001:db8:85a3:8d3:1319:8a2e:370:7348", ""},
		{"HOST", "fe80::1%s3cret", ""},
		{"HOST", "[127.0.0.1]", ""},
		{"HOST", "1234567", ""},
		{"HOST", "localhost:123456", ""},
		{"HOST", "localhost:", ""},
		{"HOST", ":", ""},
		{"HOST", "a b", ""},
		{"HOST", "a..com", ""},
		{"HOST", "-a.com", ""},
		{"HOST", " localhost", ""},
		{"HOST", "localhost\n", ""},

		// Whatever the value.
		{"DB_PASSWORD", "postgres", ""},
		{"PASSPHRASE", "true", ""},
		{"DB_PWD", "root", ""},
		{"api_token", "test", ""},
		{"CLIENT_SECRET", "development", ""},
		{"apiKey", "local", ""},
		{"PIN", "1234", ""},
		{"USERPIN1", "1234", ""},
		{"SLACK_WEBHOOK", "http://localhost:3000", ""},
		{"SENTRY_DSN", "https://sentry.io", ""},
		{"BASIC_AUTH", "admin", ""},
		{"AWS_CREDENTIALS", "default", ""},
		{"SHIPPING_PIN", "1234", ""},
		{"pass.word", "local", ""},
		{"ＴＯＫＥＮ_TOKEN", "local", ""},

		// Words with the same letters.
		{"PINO_LOG_LEVEL", "debug", PlainWord},
		{"SHIPPING_MODE", "standard", PlainWord},
		{"PING_INTERVAL", "5000", PlainNumber},
		{"TOKENIZERS_PARALLELISM", "false", PlainWord},
		{"KEYCLOAK_HOST", "localhost", PlainWord},
		{"AUTHOR", "Jane Doe", ""},

		// What else there is.
		{"A", "correct horse", ""},
		{"A", "./public", ""},
		{"A", "/app", ""},
		{"A", "true ", ""},
		{"A", "entwicklung", ""},
		{"A", "abc", ""},
	} {
		if got := Plain(tt.name, tt.value); got != tt.want {
			t.Errorf("%s=%q: got %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
}

// TestPlainRandom wants nothing random to pass for a host or a word, under names that
// say that it is one as well, and in the place of a host in a URL.
func TestPlainRandom(t *testing.T) {
	encodings := map[string]func([]byte) string{
		"hex": hex.EncodeToString, "base64": base64.StdEncoding.EncodeToString, "base64url": base64.RawURLEncoding.EncodeToString,
		"base32": base32.StdEncoding.EncodeToString,
		"base32 low": func(b []byte) string {
			return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
		},
	}
	shapes := []func(string) string{
		func(s string) string { return s },
		func(s string) string { return s + ":8080" },
		func(s string) string { return "sk-live-" + s },
		func(s string) string { return s + ".com" },
		func(s string) string { return "api." + s + ".example.com" },
		func(s string) string { return "https://" + s },
		func(s string) string { return "https://" + s + ".example.com/" },
		func(s string) string { return "https://example.com/" + s },
		func(s string) string { return "https://" + s + "@example.com" },
	}
	for range 200 {
		data := make([]byte, 16)
		if _, err := rand.Read(data); err != nil {
			t.Fatal(err)
		}
		for kind, encode := range encodings {
			for i, shape := range shapes {
				for _, name := range []string{"A", "HOST", "API_URL"} {
					if value := shape(encode(data)); Plain(name, value) != "" {
						t.Errorf("%s, shape %d: %s=%s is shown as %s", kind, i, name, value, Plain(name, value))
					}
				}
			}
		}
	}
}

// TestLists wants the lists to have nothing twice, and nothing that is never looked
// for: what is compared has small letters.
func TestLists(t *testing.T) {
	for name, text := range map[string]string{"words": wordsText, "services": servicesText, "names": namesText} {
		seen := make(map[string]bool)
		for line := range strings.Lines(text) {
			word := strings.TrimSuffix(line, "\n")
			if word == "" || word[0] == '#' {
				continue
			}
			if word != strings.ToLower(strings.TrimSpace(word)) || seen[word] {
				t.Errorf("%s: %q", name, word)
			}
			seen[word] = true
		}
	}
	for name := range safeNames() {
		if !SecretName(name + "X") {
			t.Errorf("%q needs no place in the list", name)
		}
	}
}

// FuzzPlain wants what is shown to be short, of few characters, and never to depend
// on how a secret's name is written.
func FuzzPlain(f *testing.F) {
	for _, seed := range [][2]string{
		{"NODE_ENV", "development"}, {"PORT", "4000"}, {"HOST", "localhost:4000"}, {"HOST", "[::1]:4000"}, {"URL", "http://localhost:3000/"},
		{"URL", "https://api.example.com"}, {"A", "sk-live-abc.def"}, {"HOST", "ec2-203-0-113-25.compute-1.amazonaws.com"}, {"db_password", "x"},
		{"A", "16:27:ac:a5:76:28:2d:36"}, {"URL", "a+b://c"}, {"A", "10MB"}, {"ſECRET", "true"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		why := Plain(name, value)
		if why == "" || why == PlainEmpty {
			return
		}
		if SecretName(name) || SecretName(strings.ToLower(name)) || Plain(name+"_TOKEN", value) != "" {
			t.Errorf("%q=%q: a secret's name is shown", name, value)
		}
		rest := strings.TrimSuffix(value, "/")
		if len(value) > 120 || why != PlainWord && strings.ContainsAny(rest[strings.Index(rest, "://")+1:], "@?#&=~ \t\r\n\"'`\\") {
			t.Errorf("%q=%q is shown as %s", name, value, why)
		}
		if why == PlainHost || why == PlainURL {
			for _, r := range value {
				if r > '~' || 'G' <= r && r <= 'Z' {
					t.Errorf("%q=%q has %q in it", name, value, r)
				}
			}
		}
	})
}
