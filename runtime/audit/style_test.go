package audit_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// TestContrast: text is readable in each of the page's colour schemes:
// 4.5 to 1, as level AA of https://www.w3.org/TR/WCAG22/#contrast-minimum says.
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("report.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(schemes) != 3 {
		t.Fatalf("%d schemes, want light, dark and print", len(schemes))
	}
	pairs := [][2]string{
		{"text", "page"}, {"text", "card"}, {"text", "soft"}, {"text", "denied-soft"},
		{"quiet", "page"}, {"quiet", "card"}, {"quiet", "soft"}, {"quiet", "denied-soft"},
		{"fine", "page"}, {"fine", "card"}, {"fine", "soft"}, {"denied", "page"}, {"denied", "card"}, {"denied", "soft"}, {"denied", "denied-soft"},
		{"failed", "page"}, {"failed", "card"}, {"failed", "soft"}, {"failed", "failed-soft"},
	}
	for _, scheme := range schemes {
		colors := make(map[string]float64)
		for _, v := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(scheme[1], -1) {
			colors[v[1]] = luminance(t, v[2])
		}
		for _, p := range pairs {
			text, okText := colors[p[0]]
			ground, okGround := colors[p[1]]
			ratio := (max(text, ground) + 0.05) / (min(text, ground) + 0.05)
			if !okText || !okGround || ratio < 4.5 {
				t.Errorf("%s on %s has %.2f in %s", p[0], p[1], ratio, scheme[1])
			}
		}
	}
}

// luminance is the relative luminance of WCAG.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
