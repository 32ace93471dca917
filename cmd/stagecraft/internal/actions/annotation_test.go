package actions

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// newWorkflow returns a workflow whose project is in a directory of the repository.
func newWorkflow(t testing.TB, environ ...string) (*Workflow, *bytes.Buffer) {
	workspace, err := filepath.Abs("workspace")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	return New(&out, append([]string{"GITHUB_WORKSPACE=" + workspace}, environ...), filepath.Join(workspace, "shop")), &out
}

func TestEnabled(t *testing.T) {
	for _, tt := range []struct {
		environ []string
		want    bool
	}{
		{nil, false},
		{[]string{"GITHUB_ACTIONS=false"}, false},
		{[]string{"GITHUB_ACTIONS=1"}, false},
		{[]string{"GITHUB_ACTIONS=true"}, true},
		{[]string{"GITHUB_ACTIONS=true", "GITHUB_ACTIONS="}, false},
	} {
		if got := Enabled(tt.environ); got != tt.want {
			t.Errorf("%q: %v", tt.environ, got)
		}
	}
}

func TestAnnotations(t *testing.T) {
	abs := func(p string) string { p, _ = filepath.Abs(p); return p }
	for _, tt := range []struct {
		a    Annotation
		want string
	}{
		{Annotation{Message: "plain"}, "::error::plain"},
		{Annotation{Message: " two\r\nlines: 100%, ]\x1b[31m "}, "::error::two%0Alines: 100%25, ]"},
		{Annotation{Message: "%0A%25"}, "::error::%250A%2525"},
		{Annotation{Message: "::set-env name=x::y"}, "::error::::set-env name=x::y"},
		{Annotation{Message: "\u0301"}, "::error:: \u0301"},
		{Annotation{Title: "a:b,c=d\n%", Message: "m"}, "::error title=a%3Ab%2Cc=d %25::m"},
		{Annotation{File: "stagecraft.yml", Line: 3, Column: 5, Message: "m"}, "::error file=shop/stagecraft.yml,line=3,col=5::m"},
		{Annotation{File: "../ceiling.yml", Line: 3, Column: 5, EndLine: 3, Message: "m"}, "::error file=ceiling.yml,line=3,col=5::m"},
		{Annotation{File: "a.yml", Line: 3, Column: 5, EndLine: 4, Message: "m"}, "::error file=shop/a.yml,line=3,endLine=4::m"},
		{Annotation{File: "a.yml", Column: 5, EndLine: 4, Message: "m"}, "::error file=shop/a.yml::m"},
		{Annotation{File: "a.yml", Line: -1, Column: -1, Message: "m"}, "::error file=shop/a.yml::m"},
		{Annotation{File: abs("workspace/x/y.yml"), Message: "m"}, "::error file=x/y.yml::m"},
		{Annotation{File: abs("workspace-2/y.yml"), Message: "m"}, "::error file=" + escapeProperty(filepath.ToSlash(abs("workspace-2/y.yml"))) + "::m"},
		{Annotation{File: "a,b:c.yml", Message: "m"}, "::error file=shop/a%2Cb%3Ac.yml::m"},
		{Annotation{Message: strings.Repeat("ö", 5000)}, "::error::" + strings.Repeat("ö", 4095) + "…"},
	} {
		w, out := newWorkflow(t)
		w.Error(tt.a)
		if got := out.String(); got != "\n"+tt.want+"\n" {
			t.Errorf("%+v: got %q, want %q", tt.a, got, tt.want)
		}
		out.Reset()
		w.Warning(tt.a)
		if got, want := out.String(), strings.Replace(tt.want, "::error", "::warning", 1)+"\n"; got != want {
			t.Errorf("%+v: got %q, want %q", tt.a, got, want)
		}
	}
}

func TestNoWorkspace(t *testing.T) {
	var out bytes.Buffer
	dir, _ := filepath.Abs("shop")
	New(&out, nil, dir).Error(Annotation{File: "a.yml", Message: "m"})
	if want := "\n::error file=" + escapeProperty(filepath.ToSlash(filepath.Join(dir, "a.yml"))) + "::m\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// A command in the middle of a line is not executed.
func TestCommandBeginsALine(t *testing.T) {
	for _, before := range []string{"", "unfinished", "unfinished\r", "finished\n", "\xe2\x80"} {
		w, out := newWorkflow(t)
		if _, err := w.Write([]byte(before)); err != nil {
			t.Fatal(err)
		}
		w.Error(Annotation{Message: "m"})
		for name, r := range runners() {
			// Earlier output of a script.
			if r.read("$ " + out.String()); len(r.commands) != 1 {
				t.Errorf("%s, after %q: sees %q", name, before, r.commands)
			}
		}
		if strings.Contains(out.String(), "\n\n") {
			t.Errorf("after %q: an empty line in %q", before, out)
		}
	}
}

func FuzzAnnotation(f *testing.F) {
	for _, text := range attacks {
		f.Add(text, text, text, 1, 1, 0)
		f.Add("a.yml", "", text, 1, 0, 2)
	}
	f.Add("a,b", "=a:b,c=%3A", "%0A%250D\u0301", 0, 0, 0)
	f.Fuzz(func(t *testing.T, file, title, text string, line, column, endLine int) {
		w, out := newWorkflow(t)
		w.Error(Annotation{File: file, Title: title, Message: text, Line: line, Column: column, EndLine: endLine})
		// The format cannot express a value that begins with "=".
		want := map[string]string{
			"file":  strings.TrimLeft(termtext.Line(w.relative(file), maxTitle), "="),
			"title": strings.TrimLeft(termtext.Line(title, maxTitle), "="),
		}
		switch {
		case line > 0 && endLine > line:
			want["endline"] = strconv.Itoa(endLine)
		case line > 0 && column > 0:
			want["col"] = strconv.Itoa(column)
		}
		if line > 0 {
			want["line"] = strconv.Itoa(line)
		}
		for name, value := range want {
			if value == "" {
				delete(want, name)
			}
		}
		for name, r := range runners() {
			r.read(out.String())
			if len(r.commands) != 1 || strings.Join(r.output, "") != "" {
				t.Fatalf("%s: sees %q and prints %q", name, r.commands, r.output)
			}
			got := r.commands[0]
			if message := strings.TrimSpace(termtext.Clean(text)); len(message) < maxMessage && strings.TrimPrefix(got.data, " ") != message {
				t.Errorf("%s: data %q, want %q", name, got.data, message)
			}
			if diff := cmp.Diff(want, got.properties); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			if got.name != "error" {
				t.Errorf("%s: command %q", name, got.name)
			}
		}
	})
}
