package dockerfile_test

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

const failing = `FROM alpine AS one
RUN make

# a comment
RUN apk add \
	git
FROM scratch
COPY --from=one /a /
RUN make
RUN <<END
false
END
`

func TestExcerpt(t *testing.T) {
	long := "FROM a\nRUN true" + strings.Repeat(" \\\n && true", 40) + "\nCMD a\n"
	for _, tt := range []struct {
		text string
		line int
		want string
	}{
		{failing, 1, "1 > FROM alpine AS one\n2 | RUN make\n3 |\n"},
		{failing, 5, "3 |\n4 | # a comment\n5 > RUN apk add \\\n6 >     git\n7 | FROM scratch\n8 | COPY --from=one /a /\n"},
		{failing, 6, "3 |\n4 | # a comment\n5 > RUN apk add \\\n6 >     git\n7 | FROM scratch\n8 | COPY --from=one /a /\n"},
		{failing, 10, " 8 | COPY --from=one /a /\n 9 | RUN make\n10 > RUN <<END\n11 > false\n12 > END\n"},
		{failing, 0, ""},
		{failing, 13, ""},
		{"", 1, "1 >\n"},
		{"FROM a\r\nRUN \x1b[31mb\r\n", 2, "1 | FROM a\n2 > RUN b\n"},
		{"NONSENSE\nRUN <<A\n", 2, "1 | NONSENSE\n2 > RUN <<A\n"},
	} {
		if got := dockerfile.Excerpt([]byte(tt.text), tt.line); got != tt.want {
			t.Errorf("line %d of %q:\n%s\nwant\n%s", tt.line, tt.text, got, tt.want)
		}
	}
	got := dockerfile.Excerpt([]byte(long), 2)
	if n := strings.Count(got, "\n"); n != 1+20+1+1+1 || !strings.Contains(got, "\n   ...\n42 >  && true\n43 | CMD a\n") {
		t.Errorf("a long instruction has %d lines:\n%s", n, got)
	}
}

func TestStepLine(t *testing.T) {
	for step, want := range map[string]int{
		"[2/3] RUN apk add   git":          5,
		"Step 4/7 : FROM scratch":          7,
		"STEP 4/7: COPY --from=one /a /":   8,
		"[one 2/3] copy --from=one /a /":   8,
		"RUN make":                         0, // twice
		"[internal] load build definition": 0,
		"":                                 0,
	} {
		if got := dockerfile.StepLine([]byte(failing), step); got != want {
			t.Errorf("%q is at line %d, want %d", step, got, want)
		}
	}
}
