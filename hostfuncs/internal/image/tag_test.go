package image

import (
	"strings"
	"testing"
)

func TestCheckTag(t *testing.T) {
	hex := strings.Repeat("0", 64)
	for tag, want := range map[string]string{
		"a":                             "",
		"a:1.2_3-x":                     "",
		"ghcr.io/acme/shop:dev":         "",
		"localhost:5000/a":              "",
		"":                              "invalid reference format",
		"A":                             "must be lowercase",
		"a:":                            "invalid reference format",
		"a b":                           "invalid reference format",
		"-a":                            "invalid reference format",
		"a:b:c":                         "invalid reference format",
		"a@sha256:" + hex:               "leave it out",
		"a:b@sha256:" + hex:             "leave it out",
		hex:                             "64-byte hexadecimal",
		"https://ghcr.io/a":             "invalid reference format",
		"a:" + strings.Repeat("x", 129): "invalid reference format",
		"\x1b[31ma":                     `"\x1b[31ma"`,
	} {
		err := CheckTag(tag)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("CheckTag(%q) = %v, want %q", tag, err, want)
		}
	}
}
