package backend

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// proposing is a provider that proposes.
type proposing struct{ result abi.DetectResult }

func (p proposing) Call(_ context.Context, export string, _ []byte) ([]byte, error) {
	var result any = p.result
	if export == abi.ExportDescribe {
		result = abi.Description{ID: "x", ABI: abi.Version}
	}
	ok, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	return json.Marshal(abi.Reply{OK: ok})
}

func detectFrom(t *testing.T, candidates ...abi.Candidate) ([]abi.Candidate, error) {
	t.Helper()
	g, err := NewGuest(t.Context(), proposing{abi.DetectResult{Candidates: candidates}})
	if err != nil {
		t.Fatal(err)
	}
	return g.Detect(t.Context(), abi.DetectOptions{WorkDir: "."})
}

// TestDetectRefuses has one candidate for each check. Without the change each is accepted.
func TestDetectRefuses(t *testing.T) {
	valid := func() abi.Candidate {
		return abi.Candidate{Name: "x", Dir: "web", Config: abi.JSON(`{}`), Needs: abi.Needs{Exec: [][]string{{"sh", "-c", "a *.js"}}, Write: []string{"web/dist"}}}
	}
	if found, err := detectFrom(t, valid()); err != nil || len(found) != 1 {
		t.Fatalf("got %v, %v", found, err)
	}
	many := func(n int) []string { return strings.Split(strings.Repeat("x ", n-1)+"x", " ") }
	for name, change := range map[string]func(*abi.Candidate){
		"an absolute directory":       func(c *abi.Candidate) { c.Dir = "/etc" },
		"a directory outside":         func(c *abi.Candidate) { c.Dir = "a/../../b" },
		"a directory of two lines":    func(c *abi.Candidate) { c.Dir = "a\nb" },
		"a list as configuration":     func(c *abi.Candidate) { c.Config = abi.JSON(`[]`) },
		"null as configuration":       func(c *abi.Candidate) { c.Config = abi.JSON(`null`) },
		"a large configuration":       func(c *abi.Candidate) { c.Config = abi.JSON(`{"a":"` + strings.Repeat("x", abi.MaxProposal) + `"}`) },
		"many lines of evidence":      func(c *abi.Candidate) { c.Evidence = many(abi.MaxProposedLines + 1) },
		"many notes":                  func(c *abi.Candidate) { c.Notes = many(abi.MaxProposedLines + 1) },
		"an empty command":            func(c *abi.Candidate) { c.Needs.Exec = [][]string{{}} },
		"an empty program":            func(c *abi.Candidate) { c.Needs.Exec = [][]string{{"", "x"}} },
		"any program":                 func(c *abi.Candidate) { c.Needs.Exec = [][]string{{"n*"}} },
		"any word":                    func(c *abi.Candidate) { c.Needs.Exec = [][]string{{"sh", "*"}} },
		"any words":                   func(c *abi.Candidate) { c.Needs.Exec = [][]string{{"sh", "**"}} },
		"any daemon":                  func(c *abi.Candidate) { c.Needs.Daemons = [][]string{{"sh", "**"}} },
		"a command with an escape":    func(c *abi.Candidate) { c.Needs.Exec = [][]string{{"sh", "\x1b[2J"}} },
		"a command with a blank line": func(c *abi.Candidate) { c.Needs.Exec = [][]string{{"sh", "a\n\nb"}} },
		"a hidden character":          func(c *abi.Candidate) { c.Needs.Exec = [][]string{{"sh", "a\u200bb"}} },
		"a directory to write":        func(c *abi.Candidate) { c.Needs.Write = []string{".."} },
		"a pattern to write":          func(c *abi.Candidate) { c.Needs.Write = []string{"a/*"} },
		"a context outside":           func(c *abi.Candidate) { c.Needs.Build = []string{"/"} },
		"a pattern of variables":      func(c *abi.Candidate) { c.Needs.EnvPass = []string{"*"} },
		"a tool with a comment":       func(c *abi.Candidate) { c.Needs.Use = []string{"node # x"} },
		"port 0":                      func(c *abi.Candidate) { c.Needs.Listen = []int{0} },
		"a port too large":            func(c *abi.Candidate) { c.Needs.Connect = []int{65536} },
	} {
		c := valid()
		change(&c)
		if found, err := detectFrom(t, c); err == nil {
			t.Errorf("%s: accepted as %+v", name, found)
		}
	}
	var all []abi.Candidate
	for range abi.MaxCandidates + 1 {
		all = append(all, valid())
	}
	if _, err := detectFrom(t, all...); err == nil {
		t.Error("too many candidates are accepted")
	}
}

// TestDetectCleans: texts are on one line, without what a terminal obeys.
func TestDetectCleans(t *testing.T) {
	const bad = "a\x1b[31m\nb\u202e\u0430c"
	found, err := detectFrom(t, abi.Candidate{
		Name: bad, Dir: "./web/", Certainty: "sure", Evidence: []string{bad}, Before: []string{bad}, Notes: []string{bad}, Config: abi.JSON(`{}`),
		Comments: map[string]string{"/a": bad}, Needs: abi.Needs{Unconfined: bad, Network: bad, Comments: map[string]string{"exec": bad}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := found[0]
	const want = "a b<U+0430>c"
	for _, got := range []string{c.Name, c.Evidence[0], c.Before[0], c.Notes[0], c.Comments["/a"], c.Needs.Unconfined, c.Needs.Network, c.Needs.Comments["exec"]} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if c.Dir != "web" || c.Certainty != abi.Possible {
		t.Errorf("got %q, %q", c.Dir, c.Certainty)
	}
}
