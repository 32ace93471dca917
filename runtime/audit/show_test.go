package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

// story is a log as a reviewer gets it: a run that was denied something, one
// that went well, and one that was killed in a call.
func story() []audit.Record {
	ci, dev, killed := newRun("7Q2MXKJ4C5VWN3"), newRun("DEV5H2PQ"), newRun("KILLEDRUN")
	long := ci.exit(ci.call(4, 9100, 6200, "exec", "exec node --enable-source-maps --max-old-space-size=4096 backend/node_modules/.bin/esbuild backend/src/index.ts "+
		"--bundle --platform=node --outfile=backend/dist/index.js --external:@aws-sdk/client-s3 --define:process.env.NODE_ENV=\"production\" in backend with NODE_ENV, APP_VERSION"), 2)
	long.Claim = json.RawMessage(`{"operation":"exec","provider":"generic","exec":{"argv":["node","--enable-source-maps"],"program":"/usr/bin/node","dir":"backend"},"env":[{"name":"NODE_ENV","use":"set"}]}`)
	missing := ci.call(5, 9105, 0.4, "read_file", "read_file backend/.env.local")
	missing.Error = &audit.Failure{Code: "not_found", Message: "backend/.env.local: there is no such file"}
	unread := ci.call(6, 9110, 0.02, "docker_build", "")
	unread.Decision, unread.Layer, unread.Rule, unread.RuleFile, unread.RuleLine, unread.Reason, unread.Layers, unread.Claim = "", "", "", "", 0, "", nil, nil
	unread.Error = &audit.Failure{Code: "invalid", Message: "/tags: a tag is needed"}
	ends := ci.end(9400, "denied", 3, 8, 3)
	ends.Error = &audit.Failure{Message: "3 calls denied by policy"}
	return []audit.Record{
		ci.start("build"),
		ci.call(1, 14, 1.2, "stat", "stat backend/package.json"),
		ci.begin(2, 20, "exec npm ci in backend"),
		ci.exit(ci.call(2, 2870, 2850, "exec", "exec npm ci in backend"), 0),
		ci.denied(3, 2890, "exec npm publish --tag latest in backend with NPM_TOKEN"),
		long, missing, unread,
		ci.denied(7, 9200, "exec npm publish --tag next in backend with NPM_TOKEN"),
		ci.denied(8, 9300, "exec npm publish --tag next in backend with NPM_TOKEN"),
		ends,
		dev.start("dev"), dev.exit(dev.call(1, 800, 790, "exec", "exec npm run dev"), 0), dev.end(810, "done", 0, 1, 0),
		killed.start("dev"), killed.call(1, 5, 2, "stat", "stat backend"), killed.begin(2, 6, "exec npm run dev in backend"),
	}
}

func TestShow(t *testing.T) {
	for name, data := range map[string][]byte{
		"story":   written(t, story()...),
		"small":   written(t, small()...),
		"changed": bytes.Replace(written(t, small()...), []byte("backend"), []byte("another"), 1),
		"empty":   nil,
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, "testdata/"+name+".txt", show(t, audit.Show, data))
			golden(t, "testdata/"+name+".html", show(t, audit.HTML, data))
		})
	}
}

func show(t testing.TB, how func(io.Writer, audit.Report, []audit.Record) error, data []byte) []byte {
	t.Helper()
	var records []audit.Record
	report, err := audit.Examine(bytes.NewReader(data), func(r audit.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := how(&b, report, records); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hostile is what a provider, or who changed a log, may have put into text.
var hostile = []string{
	`<script>alert(1)</script>`, `"onmouseover="alert(1)`, `'><img src=x onerror=alert(1)>`, "</style><script>", "{{.}}",
	"\x1b[2J\x1b]0;owned\x07", "\u009b2J", "a\u202etxt.exe", "a\u2066b", "zero\u200bwidth", "line\u2028line", "a\rb\nc\td", "\xff\xfe", "expression(alert(1))", "100%;background:url(//x)",
}

// TestShowHostile puts it into every field.
func TestShowHostile(t *testing.T) {
	for _, text := range hostile {
		records := story()
		for i := range records {
			poison(&records[i], text)
		}
		report := audit.Report{Broken: true, Head: text, Findings: []audit.Finding{{Line: 1, Kind: audit.Kind(text), Text: text}}}
		var plain, page bytes.Buffer
		if err := audit.Show(&plain, report, records); err != nil {
			t.Fatal(err)
		}
		if err := audit.HTML(&page, report, records); err != nil {
			t.Fatal(err)
		}
		wantPlain(t, plain.Bytes())
		wantPlain(t, page.Bytes())
		wantHarmless(t, page.String())
		if strings.Count(page.String(), "<section") != strings.Count(string(show(t, audit.HTML, written(t, story()...))), "<section") {
			t.Errorf("%q changes the page", text)
		}
	}
}

func poison(r *audit.Record, text string) {
	for _, s := range []*string{&r.Provider, &r.SHA256, &r.Command, &r.Confinement, &r.Operation, &r.Asked, &r.Layer, &r.Rule, &r.RuleFile, &r.Reason, &r.Signal, &r.Outcome} {
		*s = text
	}
	r.Run += text
	if r.Decision != audit.Denied {
		r.Decision = text
	}
	r.Policies = []audit.Policy{{Layer: text, Name: text, SHA256: text}}
	r.Layers = []audit.Layer{{Layer: text, Name: text, Decision: text, Rule: text, File: text, Line: 1}}
	r.Versions = map[string]string{text: text}
	r.Config = &audit.File{Name: text, SHA256: text}
	r.Changed = []audit.Change{{Name: text, How: text}}
	r.Error = &audit.Failure{Code: text, Message: text}
	r.Claim, _ = json.Marshal(map[string]string{text: text})
	// Not escaped, as somebody else may write JSON.
	r.Claim = bytes.ReplaceAll(bytes.ReplaceAll(r.Claim, []byte(`\u003c`), []byte("<")), []byte(`\u003e`), []byte(">"))
}

func wantPlain(t testing.TB, data []byte) {
	t.Helper()
	for _, r := range string(data) {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
			t.Fatalf("%q is shown in %.3000q", r, data)
		}
	}
}

var (
	elements = regexp.MustCompile(`<([a-zA-Z][a-zA-Z0-9]*)((?:\s[^<>]*)?)>`)
	names    = strings.Fields(`html head meta title style body header footer main section div p ul ol li b strong code pre h1 h2 h3
		dl dt dd a table caption thead tbody tr th td abbr span time details summary`)
	attributes = regexp.MustCompile(`^(\s+(href="#(run-[0-9]+(-call-[0-9]+)?|denial-[0-9]+)"|(charset|http-equiv|content|name|lang|class|id|role|scope|title|datetime|aria-labelledby|style)="[^"<>]*"))*\s*$`)
	styles     = regexp.MustCompile(` style="([^"]*)"`)
	bars       = regexp.MustCompile(`^left:[0-9.]+%;width:[0-9.]+%$`)
)

// wantHarmless requires that a page has only the elements, attributes and styles of the
// template, and loads nothing.
func wantHarmless(t testing.TB, page string) {
	t.Helper()
	_, body, ok := strings.Cut(page, "</style>")
	if !ok {
		t.Fatal("the page has no style")
	}
	for _, e := range elements.FindAllStringSubmatch(page[:strings.Index(page, "<style>")]+body, -1) {
		if !slices.Contains(names, e[1]) || !attributes.MatchString(e[2]) {
			t.Errorf("the page has %.300q", e[0])
		}
	}
	for _, s := range styles.FindAllStringSubmatch(body, -1) {
		if !bars.MatchString(s[1]) {
			t.Errorf("the page has the style %q", s[1])
		}
	}
	if !strings.Contains(page, `http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'`) {
		t.Error("the page has no policy")
	}
	for _, word := range []string{"@import", "url(", "<script", "<link", "<img", "<iframe"} {
		if strings.Contains(strings.ToLower(page[:len(page)-len(body)]), word) {
			t.Errorf("the page has %s", word)
		}
	}
}

// TestHTMLLong: the page of a long log says what it leaves out, and has all denials.
func TestHTMLLong(t *testing.T) {
	var records []audit.Record
	first := newRun("FIRST")
	records = append(records, first.start("dev"), first.denied(1, 5, "exec npm publish"))
	for range 150 {
		records = append(records, newRun(strings.Repeat("R", len(records))).start("dev"))
	}
	late := newRun("LATE")
	for i := range 1001 {
		records = append(records, late.call(i+1, i, 1, "exec", fmt.Sprint("exec true ", i)))
	}
	records = append(records, late.denied(1002, 1010, "exec late"))
	last := newRun("LAST")
	wide := last.denied(0, 5, "exec wide")
	wide.Claim = json.RawMessage(`"` + strings.Repeat("w", 30_000) + `"`)
	records = append(records, wide)
	for i := range 1500 {
		records = append(records, last.denied(i+1, 5, "exec "+strings.Repeat("x", i%300)))
	}
	var b bytes.Buffer
	if err := audit.HTML(&b, audit.Report{Findings: make([]audit.Finding, 150), More: 7}, records); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"53 earlier runs are not shown", "501 more calls are not shown", "515 more calls were denied",
		"npm publish", "<b>1503</b> denied", ">late<", "5 times", "and 57 more", `href="#run-153-call-2"`, strings.Repeat("w", 10_000)} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if err := danglingLinks(b.String()); err != nil {
		t.Error(err)
	}
	for _, no := range []string{"call-1002", strings.Repeat("w", 20_001)} {
		if strings.Contains(b.String(), no) {
			t.Errorf("the page says %.40q", no)
		}
	}
}

// TestHTMLFolds: a page has each denial once, calls alike in sequence in one row, equal
// settings once, and an index of the runs.
func TestHTMLFolds(t *testing.T) {
	var records []audit.Record
	for _, id := range []string{"FIRST", "SECOND"} {
		r := newRun(id)
		records = append(records, r.start("dev"),
			r.call(1, 5, 1, "probe", "probe 127.0.0.1:4000"), r.call(2, 10, 1, "probe", "probe 127.0.0.1:4000"), r.call(3, 15, 1, "probe", "probe 127.0.0.1:4000"),
			r.denied(4, 20, "exec npm publish"), r.end(30, audit.Denied, 3, 4, 1))
	}
	other := newRun("OTHER").start("build")
	other.Versions = map[string]string{"stagecraft": "9"}
	page := string(show(t, audit.HTML, written(t, append(records, other)...)))
	for text, times := range map[string]int{
		"npm publish **&#34;, /etc/stagecraft/ceiling.yml:14</p>": 1, // the reason
		">2 times in 2 runs<":  1,
		">3 times<":            2,
		">1\u20133<":           2,
		`href="#denial-1"`:     2,
		"Under these policies": 2,
		"are those of <a href=\"#run-1\">run 1</a>":  1,
		`<td role="cell"><a href="#run-3">build</a>`: 1,
	} {
		if n := strings.Count(page, text); n != times {
			t.Errorf("%q is on the page %d times, want %d", text, n, times)
		}
	}
	if err := danglingLinks(page); err != nil {
		t.Error(err)
	}
}

// danglingLinks are the links of a page that lead to none of its elements.
func danglingLinks(page string) error {
	for _, link := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if strings.Count(page, `id="`+link[1]+`"`) != 1 {
			return fmt.Errorf("#%s leads to no element, or to several", link[1])
		}
	}
	return nil
}

// TestShowTwice: two calls with the same number are both shown.
func TestShowTwice(t *testing.T) {
	r := newRun("RUN")
	page := show(t, audit.HTML, written(t, r.call(1, 1, 1, "exec", "exec first"), r.call(1, 2, 1, "exec", "exec second")))
	for _, want := range []string{">first<", ">second<"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// TestShowFails: an error of the writer is returned, also for the last bytes.
func TestShowFails(t *testing.T) {
	for _, how := range []func(io.Writer, audit.Report, []audit.Record) error{audit.Show, audit.HTML} {
		var b bytes.Buffer
		if err := how(&b, audit.Report{}, story()); err != nil {
			t.Fatal(err)
		}
		full := full(b.Len() - 1)
		if err := how(&full, audit.Report{}, story()); err == nil {
			t.Error("no error")
		}
	}
}

// full takes so many bytes.
type full int

func (f *full) Write(p []byte) (int, error) {
	if len(p) > int(*f) {
		return 0, io.ErrShortWrite
	}
	*f -= full(len(p))
	return len(p), nil
}

// FuzzRead shows any file.
func FuzzRead(f *testing.F) {
	f.Add(written(f, tiny()...))
	f.Add(lines(written(f, newRun("RUN").denied(1, 5, "exec npm publish")))[0])
	f.Add([]byte(`{"type":"call","time":"0001-01-01T00:00:00Z","duration_ms":-1e308,"call":-1}` + "\n" + `{"type":"end","time":"9999-12-31T23:59:59Z"}`))
	f.Add([]byte(`{"type":"call","duration_ms":1e308}` + "\n\n\x00" + `{"type":"begin"`))
	f.Add([]byte(`{"type":"call","claim":"` + "\u202e\u2028<" + `"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		wantPlain(t, show(t, audit.Show, data))
		page := show(t, audit.HTML, data)
		wantPlain(t, page)
		wantHarmless(t, string(page))
	})
}

func BenchmarkHTML(b *testing.B) {
	records := story()
	for b.Loop() {
		if err := audit.HTML(io.Discard, audit.Report{}, records); err != nil {
			b.Fatal(err)
		}
	}
}
