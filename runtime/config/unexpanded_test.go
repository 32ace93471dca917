package config

import (
	"slices"
	"strings"
	"testing"
)

func TestReferences(t *testing.T) {
	for text, want := range map[string]string{
		"${PORT:-4000}":                 "${PORT:-4000}",
		"$PORT":                         "$PORT",
		"http://$HOST:${PORT}/x":        "$HOST ${PORT}",
		"$A$A":                          "$A",
		"$(pwd)/x":                      "$(pwd)",
		"${{ secrets.TOKEN }}":          `"${{ secrets.TOKEN }}"`,
		"${lower}":                      "${lower}",
		"~":                             "~",
		"~/data":                        "~",
		"~you/data":                     "~you",
		"PATH=~/bin":                    "~",
		"/bin:~/bin":                    "~",
		"~/x:${PATH}":                   "~ ${PATH}",
		"~1.2.3":                        "",
		"a~":                            "",
		"a/~/b":                         "",
		"$argon2id$v=19$m=65536":        "",
		"$2b$10$abc":                    "",
		"{$set: 1}":                     "",
		"^a$|b$":                        "",
		"cost: $5":                      "",
		"$":                             "",
		"$$":                            "",
		"":                              "",
		"${" + long + "}":               "${" + long[:58] + "...",
		"${A} ${B} ${C} ${D} ${E} ${F}": "${A} ${B} ${C} ${D} ${E}",
	} {
		if got := strings.Join(references(text), " "); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

var long = strings.Repeat("X", 100)

func TestUnexpanded(t *testing.T) {
	file := writeConfig(t, `
x-env: &env {A: "$HOME"}
backend:
  provider: generic
  providers:
    generic:
      run: [npm, "$ONE", -e, "$CODE", "~/x"]
      shell: [env, /bin/sh, -c, "echo $HOME"]
      other: [timeout, "5", bash, "$X"]
      python: [python3.12, "$TWO"]
      perl: [perl5.36, '$X']
      env: {<<: *env, B: ["${C}"], N: 1}
      again: *env
      unused: $HOME
      path: $DIR
`)
	c, err := Load(file, known)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range c.Unexpanded([]string{"/run", "/shell", "/other", "/python", "/perl", "/none"}, []string{"/env", "/again", "/path", "/none"}) {
		got = append(got, strings.TrimPrefix(p.Error(), file+":"))
	}
	const said = " is not expanded: the value is used as written"
	want := []string{
		"2:17: backend.providers.generic.env.A: $HOME" + said,
		"7:18: backend.providers.generic.run[1]: $ONE" + said,
		"7:39: backend.providers.generic.run[4]: ~" + said,
		"10:28: backend.providers.generic.python[1]: $TWO" + said,
		"12:27: backend.providers.generic.env.B[0]: ${C}" + said,
		"15:13: backend.providers.generic.path: $DIR" + said,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
