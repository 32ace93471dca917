package actions

import (
	"flag"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

var update = flag.Bool("update", false, "write the golden files")

// summaryFile creates an empty summary, as the runner does.
func summaryFile(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "step_summary")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// evil uses each part of GitHub's Markdown.
const evil = "a|b `c` *d* _e_ <img src=x> [f](g) ![h](i) @user user@example.com #1 GH-1 o/r#2 https://x.example www.x.example :smile: \\| &lt; $x$ ~~y~~ ``z\nnew line"

var runs = map[string]Run{
	"done": {
		Title: "stagecraft build", Command: "build --tag shop:1.2", Provider: "generic", Outcome: "done",
		Calls: []Call{
			{"read_file", "read package.json", "allowed", "stagecraft.policy.yml:7"},
			{"docker_build", "build image shop:1.2 from .", "allowed", "ceiling.yml:12"},
		},
		Head: "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
	},
	"denied": {
		Title: "stagecraft build", Command: "build", Provider: "generic", Outcome: "denied",
		Calls:   []Call{{"exec", "npm publish", "denied", ""}},
		Denials: []Denial{{"exec", "npm publish", "no rule allows it"}},
		Allow:   "providers:\n  generic:\n    exec:\n      allow:\n        - npm publish\n", AllowFile: "stagecraft.policy.yml",
	},
	"evil": {
		Title: evil, Command: "a\nb", Provider: "*p*", Outcome: "[o](p)", Head: "<!-- h",
		Calls: []Call{{"a|b", evil, "@c", "d\\|e"}}, Denials: []Denial{{"`f`", "www.g", "h@i.example"}},
		Allow: "a: |\n  ```\n  ````x\n", AllowFile: "#1",
	},
	"nothing": {Title: "stagecraft dev"},
}

func TestSummary(t *testing.T) {
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			path := summaryFile(t)
			w, out := newWorkflow(t, "GITHUB_STEP_SUMMARY="+path)
			w.Summary(run)
			if out.Len() > 0 {
				t.Errorf("printed %q", out)
			}
			golden := filepath.Join("testdata", name+".md")
			if *update {
				if err := os.WriteFile(golden, []byte(readFile(t, path)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(readFile(t, golden), readFile(t, path)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSummaryAppends(t *testing.T) {
	path := summaryFile(t)
	w, _ := newWorkflow(t, "GITHUB_STEP_SUMMARY="+path)
	w.Summary(runs["done"])
	once := readFile(t, path)
	w.Summary(runs["done"])
	if got := readFile(t, path); got != once+once {
		t.Errorf("got %q", got)
	}
}

func TestSummaryIsBounded(t *testing.T) {
	long := Run{Title: "t", Denials: []Denial{{"exec", "npm publish", "no"}}}
	for range 20_000 {
		long.Calls = append(long.Calls, Call{"exec", strings.Repeat("|", 50), "allowed", "a.yml:1"})
	}
	for _, before := range []int{0, 1000, maxSummary - 300, maxSummary - len(cutNote), maxSummary - 1, maxSummary, maxSummary + 1000} {
		path := summaryFile(t)
		if err := os.WriteFile(path, []byte(strings.Repeat("x", before)), 0o600); err != nil {
			t.Fatal(err)
		}
		w, out := newWorkflow(t, "GITHUB_STEP_SUMMARY="+path)
		w.Summary(long)
		text := readFile(t, path)
		if len(text) > max(maxSummary, before) || out.Len() > 0 {
			t.Errorf("%d bytes before, %d after; printed %q", before, len(text), out)
		}
		if before <= maxSummary-len(cutNote) && !strings.HasSuffix(text, cutNote) {
			t.Errorf("%d bytes before: no word of the cut at the end of %q", before, text[len(text)-min(len(text), 200):])
		}
		if before == 0 && (len(text) < maxSummary-2000 || !strings.Contains(text, "npm publish")) {
			t.Errorf("%d bytes are too few", len(text))
		}
	}
}

// After a block that does not fit nothing may follow: it would seem to belong to the
// block before.
func TestPageEndsAtItsCut(t *testing.T) {
	p := &page{room: len(cutNote) + 5}
	for _, block := range []string{"one\n", "too long\n", "x"} {
		p.add(block)
	}
	if got := p.text(); got != "one\n"+cutNote {
		t.Errorf("got %q", got)
	}
}

func TestSummaryThatCantBeWritten(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "missing"), link} {
		w, out := newWorkflow(t, "GITHUB_STEP_SUMMARY="+path)
		w.Summary(runs["done"])
		if !strings.HasPrefix(out.String(), "\n::warning title=no step summary::") {
			t.Errorf("%s: printed %q", path, out)
		}
	}
	if text := readFile(t, target); text != "" {
		t.Errorf("a link was followed: %q", text)
	}
	if _, err := os.Lstat(filepath.Join(dir, "missing")); err == nil {
		t.Error("the missing file was made")
	}
	w, out := newWorkflow(t)
	if w.Summary(runs["done"]); out.Len() > 0 {
		t.Errorf("printed %q", out)
	}
}

// cell is text in a table: a code element without Markdown or HTML in it.
var cell = regexp.MustCompile(`^(<code>(?:[A-Za-z0-9 /,=;%?.\x{80}-\x{10ffff}-]|&#[0-9]+;|<!-- -->)+</code>)?$`)

func FuzzMarkdown(f *testing.F) {
	f.Add(evil, evil)
	f.Add("www.WWW.w.w", "```\n````\n~~~")
	f.Fuzz(func(t *testing.T, text, allow string) {
		r := Run{Title: text, Calls: []Call{{text, text, text, text}, {"a", "b", "c", "d"}}, Denials: []Denial{{text, text, text}}, Allow: allow, AllowFile: text}
		markdown := r.markdown(maxSummary)
		_, table, _ := strings.Cut(markdown, "| --- | --- | --- | --- |\n")
		rows := strings.Split(table, "\n")
		if len(rows) != 3 || rows[1] != "| "+strings.Join([]string{code("a"), code("b"), code("c"), code("d")}, " | ")+" |" || rows[2] != "" {
			t.Fatalf("rows %q", rows)
		}
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(rows[0], "| "), " |"), " | ")
		if len(cells) != 4 {
			t.Fatalf("cells %q", cells)
		}
		for _, c := range cells {
			checkCell(t, c, termtext.Line(text, maxCell))
		}
		checkFence(t, markdown, allow)
	})
}

func checkCell(t *testing.T, c, want string) {
	t.Helper()
	if !cell.MatchString(c) || strings.Contains(strings.ToLower(c), "www.") {
		t.Errorf("%q has more than text", c)
	}
	shown := strings.NewReplacer("<code>", "", "</code>", "", "<!-- -->", "").Replace(c)
	if got := html.UnescapeString(shown); got != want {
		t.Errorf("shows %q, want %q", got, want)
	}
}

// checkFence reads the fenced block as CommonMark does: up to the first line
// that is a fence of the same kind and at least as long.
func checkFence(t *testing.T, markdown, allow string) {
	t.Helper()
	if allow == "" {
		return
	}
	_, block, _ := strings.Cut(markdown, ":\n\n```")
	extra := len(block) - len(strings.TrimLeft(block, "`"))
	_, block, _ = strings.Cut(block, "\n")
	var inside []string
	for line := range strings.SplitSeq(block, "\n") {
		if bare := strings.TrimSpace(line); len(bare) >= 3+extra && strings.Trim(bare, "`") == "" {
			break
		}
		inside = append(inside, line)
	}
	if got, want := strings.Join(inside, "\n"), strings.Trim(termtext.Clean(allow), "\n"); got != want {
		t.Errorf("the block has %q, want %q", got, want)
	}
}
