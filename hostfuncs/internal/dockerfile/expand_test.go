package dockerfile

import (
	"fmt"
	"strings"
	"testing"
)

// TestExpansionIsBounded has Dockerfiles whose variables would come to more
// than any memory has.
func TestExpansionIsBounded(t *testing.T) {
	var doubles, replaces, many strings.Builder
	fmt.Fprintln(&doubles, "FROM scratch\nENV A=xxxxxxxx")
	for range 60 {
		fmt.Fprintln(&doubles, "ENV A=$A$A")
	}
	fmt.Fprintln(&replaces, "FROM scratch\nENV A="+strings.Repeat("x", 1000))
	for range 10 {
		fmt.Fprintln(&replaces, "ENV A=${A//x/${A//x/$A}}")
	}
	fmt.Fprintln(&many, "FROM scratch\nENV A="+strings.Repeat("x", 60000))
	for i := range 1000 {
		fmt.Fprintf(&many, "ENV A%d=$A\n", i)
	}
	for name, text := range map[string]string{
		"doubles": doubles.String(), "replaces": replaces.String(), "many": many.String(),
		"one word":           "FROM scratch\nENV A=" + strings.Repeat("x", 60000) + "\nENV B=" + strings.Repeat("$A", 30000),
		"three replacements": "FROM scratch\nENV A=1\nENV B=${A//1/${A//1/${A//1/2}}}",
		"before FROM":        "ARG A=xxxxxxxx\n" + strings.Repeat("ARG A=$A$A\n", 60) + "FROM scratch",
	} {
		_, err := uses(t, text, Options{})
		if err == nil || !strings.Contains(err.Error(), errTooLong.Error()) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWords(t *testing.T) {
	f, err := Parse("Dockerfile", []byte("FROM scratch"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Plan(Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := p.NewExpander()
	vars := NewVars()
	vars.Set("A", "1 2")
	above := vars.Above()
	above.Set("B", "3")
	if got, err := x.Words("$A-$B", above); err != nil || strings.Join(got, "|") != "1|2-3" {
		t.Errorf("Words: %q, %v", got, err)
	}
	if got, err := x.Raw(`"$A" '\$B' \x`, above); err != nil || got != `"1 2" '$B' x` {
		t.Errorf("Raw: %q, %v", got, err)
	}
	if got, ok := vars.Get("B"); ok {
		t.Errorf("B is %q below", got)
	}
}
