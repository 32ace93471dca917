package screen

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// terminal is what a user sees: the rows of a terminal of 80 columns without colours. It
// knows only what the screen writes.
type terminal struct {
	t    *testing.T
	rows []string
	at   int // the column
	sent strings.Builder
}

func (v *terminal) Write(p []byte) (int, error) {
	v.sent.Write(p)
	text := sgr.ReplaceAllString(string(p), "")
	for text != "" {
		if rest, ok := strings.CutPrefix(text, "\x1b[K"); ok {
			last := &v.rows[len(v.rows)-1]
			*last, text = string([]rune(*last)[:v.at]), rest
			continue
		}
		r := []rune(text)[0]
		text = text[len(string(r)):]
		switch r {
		case '\r':
			v.at = 0
		case '\n':
			v.rows, v.at = append(v.rows, ""), 0
		case '\x1b':
			v.t.Errorf("sent %q", p)
		default:
			v.put(r)
		}
	}
	return len(p), nil
}

func (v *terminal) put(r rune) {
	last := []rune(v.rows[len(v.rows)-1])
	if v.at == len(last) {
		last = append(last, r)
	}
	last[v.at] = r
	v.rows[len(v.rows)-1] = string(last)
	if v.at++; textColumns(string(last[:v.at])) >= 80 {
		v.rows, v.at = append(v.rows, ""), 0
	}
}

// want fails if the user sees something else. The last row is where the cursor is.
func (v *terminal) want(step string, rows ...string) {
	v.t.Helper()
	if !slices.Equal(v.rows, rows) {
		v.t.Errorf("%s: sees\n%q, want\n%q", step, v.rows, rows)
	}
}

// onTerminal returns a screen on a terminal. Unfinished lines appear when tick is called.
func onTerminal(t *testing.T, opts Options) (s *Screen, v *terminal, tick func()) {
	v = &terminal{t: t, rows: []string{""}}
	opts.Stdout, opts.Stderr = v, v
	s = New(opts)
	s.out.terminal, s.err = true, s.out
	s.now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC) }
	due := []func(){}
	s.after = func(_ time.Duration, do func()) { due = append(due, do) }
	return s, v, func() {
		for _, do := range due {
			do()
		}
		due = nil
	}
}

func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if n, err := io.WriteString(w, text); n != len(text) || err != nil {
		t.Errorf("write %q: %d, %v", text, n, err)
	}
}

// TestUnfinishedLine: it is the last row of the screen until it is whole.
func TestUnfinishedLine(t *testing.T) {
	s, v, tick := onTerminal(t, Options{})
	web, db := s.Program("web", true, nil), s.Program("database", true, nil)
	write(t, web.Stdout(), "building 10%")
	v.want("at once", "")
	tick()
	v.want("then", "web      | building 10%")
	write(t, web.Stdout(), "\rbuilding 20%")
	tick()
	v.want("rewritten", "web      | building 20%")
	write(t, db.Stdout(), "one\ntwo\nthr")
	v.want("another prints", "database | one", "database | two", "web      | building 20%")
	tick()
	v.want("the last change", "database | one", "database | two", "database | thr")
	write(t, db.Stdout(), "ee\n")
	v.want("whole", "database | one", "database | two", "database | three", "")
	tick()
	v.want("the other again", "database | one", "database | two", "database | three", "web      | building 20%")
	write(t, web.Stdout(), "\r\x1b[K")
	v.want("erased", "database | one", "database | two", "database | three", "")
	write(t, web.Stdout(), "\x1b[32mdone\x1b[0m\n")
	v.want("done", "database | one", "database | two", "database | three", "web      | done", "")
	tick()
	v.want("stays", "database | one", "database | two", "database | three", "web      | done", "")
}

// TestUnfinishedLineFits: a terminal would begin another row.
func TestUnfinishedLineFits(t *testing.T) {
	s, v, tick := onTerminal(t, Options{})
	a := s.Program("a", true, nil)
	s.Program("b", true, nil)
	long := strings.Repeat("日", 100)
	write(t, a.Stdout(), long)
	tick()
	v.want("cut", "a | "+strings.Repeat("日", 37))
	write(t, a.Stdout(), "\n")
	if got := strings.Join(v.rows, ""); got != "a | "+long {
		t.Errorf("sees %q", got)
	}
}

// TestMessages: our own messages leave the line of a program whole.
func TestMessages(t *testing.T) {
	s, v, tick := onTerminal(t, Options{})
	s.Program("b", true, nil)
	a := s.Program("a", true, nil)
	write(t, a.Stdout(), "wait...")
	tick()
	s.mu.Lock()
	err := s.print(s.out, []byte("warning: x\n"))
	s.mu.Unlock()
	if err != nil {
		t.Error(err)
	}
	v.want("message", "warning: x", "a | wait...")
	if err := a.Flush(); err != nil {
		t.Error(err)
	}
	v.want("end", "warning: x", "a | wait...", "")
}

// TestAlone: a program alone on the screen prints as it likes, without what outlasts it.
func TestAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		own      bool
		in, want string
	}{
		"pipes":     {false, "a\x1b[?1049h\x1b[2J", "a\x1b[?1049h\x1b[2J"},
		"moves":     {true, "a\x1b[2J\x1b[H\x1b[1;2Hb\x1b[A\x1b[2K\r\n\tc\b\a", "a\x1b[2J\x1b[H\x1b[1;2Hb\x1b[A\x1b[2K\r\n\tc\b\a"},
		"colour":    {true, "\x1b[31ma", "\x1b[31ma\x1b[0m"},
		"modes":     {true, "a\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?2004h\x1b[4h\x1b=\x1b>\x1b[>4;2m\x1bc\x1b[2;5r\x1b[!pb", "ab"},
		"questions": {true, "a\x1b[6n\x1b[c\x1b[>c\x1b[=c\x1b[?6n\x1b[5n\x1b[18t\x1b]11;?\x07\x1bPq\x1b\\\x1bZ\x1b[xb", "ab"},
		"sets":      {true, "a\x0e\x0f\x1b(0\x1b)0\x1bn\u009b6nb", "a6nb"},
		"titles":    {true, "a\x1b]0;x\x07\x1b]2;y\x1b\\b", "ab"},
		"history":   {true, "a\x1b[3Jb", "ab"},
		"printing":  {true, "a\x1b[5i\x1b[4ib", "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, tick := onTerminal(t, Options{})
			var out strings.Builder
			s.out.w = &out
			a := s.Program("a", tt.own, nil)
			write(t, a.Stdout(), tt.in)
			if err := a.Flush(); err != nil {
				t.Error(err)
			}
			tick()
			if out.String() != tt.want {
				t.Errorf("got %q, want %q", out.String(), tt.want)
			}
		})
	}
}

// TestAloneColourGoesOn: the colour is the program's own, not that of what follows.
func TestAloneColourGoesOn(t *testing.T) {
	s, v, _ := onTerminal(t, Options{})
	a := s.Program("a", true, nil)
	for _, part := range []string{"\x1b[31ma", "b\x1b[", "0mc"} {
		write(t, a.Stdout(), part)
	}
	if got, want := v.sent.String(), "\x1b[31ma\x1b[0m\x1b[31mb\x1b[0m\x1b[31m\x1b[0mc"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// TestOthersCome: a line that began unchanged ends unchanged, unless another program
// prints in between.
func TestOthersCome(t *testing.T) {
	s, v, tick := onTerminal(t, Options{})
	a := s.Program("a", true, nil)
	write(t, a.Stdout(), "alone\none-")
	b := s.Program("b", true, nil)
	write(t, a.Stdout(), "half\nnext ")
	v.want("its end", "alone", "one-half", "")
	write(t, a.Stdout(), "line\n")
	write(t, b.Stdout(), "b\n")
	b.Remove()
	v.want("names", "alone", "one-half", "a | next line", "b | b", "")
	write(t, a.Stdout(), "two-")
	b = s.Program("b", true, nil)
	write(t, b.Stdout(), "again\n")
	write(t, a.Stdout(), "halves\n")
	tick()
	v.want("cut", "alone", "one-half", "a | next line", "b | b", "two-", "b | again", "a | halves", "")
}

// TestPlain: where the output is not a terminal, lines are whole, in colour if programs
// print in colour, and nothing is lost.
func TestPlain(t *testing.T) {
	var out, err strings.Builder
	s := New(Options{Stdout: &out, Stderr: &err, Colour: true})
	a, b := s.Program("a", true, nil), s.Program("bb", false, nil)
	write(t, a.Stdout(), "1%\r2%\x1b[2J3")
	write(t, b.Stdout(), "\x1b[1mb\x1b[0m\n")
	write(t, b.Stderr(), "err")
	write(t, a.Stdout(), "4")
	for _, p := range []*Program{a, b} {
		if err := p.Flush(); err != nil {
			t.Error(err)
		}
	}
	if want := "\x1b[33ma  | \x1b[0m2%\n\x1b[35mbb | \x1b[0m\x1b[1mb\x1b[0m\n\x1b[33ma  | \x1b[0m34\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if err.String() != "\x1b[35mbb | \x1b[0merr\n" {
		t.Errorf("got %q", err.String())
	}
	if s.Terminal() {
		t.Error("a file is a terminal")
	}
}

// TestColours: programs beside one another differ.
func TestColours(t *testing.T) {
	var out strings.Builder
	s := New(Options{Stdout: &out, Stderr: &out, Colour: true})
	s.Program("", false, nil)
	var programs []*Program
	for range len(colours) + 1 {
		programs = append(programs, s.Program("x", false, nil))
	}
	seen := map[string]bool{}
	for _, p := range programs {
		out.Reset()
		write(t, p.Stdout(), "\n")
		seen[out.String()] = true
	}
	if len(seen) != len(colours) {
		t.Errorf("%d colours: %v", len(seen), seen)
	}
}

// TestTimestamps: each line begins with the time, and a program alone has no name.
func TestTimestamps(t *testing.T) {
	s, v, tick := onTerminal(t, Options{Timestamps: true})
	a := s.Program("a", true, nil)
	write(t, a.Stdout(), "one\ntwo")
	tick()
	v.want("alone", "03:04:05.006 one", "03:04:05.006 two")
	s.Program("bb", true, nil)
	write(t, a.Stdout(), " \x1b[2Jthree\n")
	v.want("several", "03:04:05.006 one", "03:04:05.006 a  | two ", "03:04:05.006 a  | three", "")
}

// TestOnly: the named program has the screen alone.
func TestOnly(t *testing.T) {
	s, v, tick := onTerminal(t, Options{Only: "web"})
	db := s.Program("db", true, nil)
	write(t, db.Stdout(), "hidden\nhidden")
	tick()
	if names, missing := s.Missing(); !missing || !slices.Equal(names, []string{"db"}) {
		t.Errorf("got %v, %v", names, missing)
	}
	web := s.Program("web", true, nil)
	write(t, web.Stdout(), "shown\r\n")
	if err := errors.Join(db.Flush(), web.Flush()); err != nil {
		t.Error(err)
	}
	v.want("only", "shown", "")
	if _, missing := s.Missing(); missing {
		t.Error("web is missing")
	}
}

// TestSize: a terminal of a program's own has no columns for the name and the time.
func TestSize(t *testing.T) {
	s, _, _ := onTerminal(t, Options{})
	sizes := []int{}
	var a *Program
	a = s.Program("a", true, func() {
		if a != nil {
			columns, _ := a.Size()
			sizes = append(sizes, columns)
		}
	})
	columns, rows := a.Size()
	b := s.Program("long name", true, nil)
	b.Remove()
	if columns != 80 || rows != 24 || !slices.Equal(sizes, []int{80 - len("long name | "), 80}) {
		t.Errorf("%d columns, %d rows, then %v", columns, rows, sizes)
	}
	s.opts.Timestamps = true
	if columns, _ := a.Size(); columns != 80-len("03:04:05.006 ") {
		t.Errorf("%d columns with times", columns)
	}
}

// TestLog: the log has all lines, with the time and the name, without colours. It is
// appended to.
func TestLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := OpenLog(path, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	mask := func(s string) string { return strings.ReplaceAll(s, "s3cret", "***") }
	s, v, _ := onTerminal(t, Options{Log: log, Only: "a", Mask: mask})
	a := s.Program("a", true, nil)
	write(t, a.Stdout(), "\x1b[31mred\x1b[0m\r\n1%\r2%\r\n")
	b := s.Program("b", true, nil)
	write(t, b.Stdout(), "hidden s3\x1b[0mcret")
	write(t, a.Stdout(), "end")
	if err := errors.Join(a.Flush(), b.Flush(), log.Close()); err != nil {
		t.Error(err)
	}
	data, err := os.ReadFile(path)
	want := "before\n"
	for _, l := range []string{"a | red", "a | 2%", "a | end", "b | hidden ***"} {
		want += "2026-01-02T03:04:05.006Z " + l + "\n"
	}
	if string(data) != want || err != nil {
		t.Errorf("got %q, %v", data, err)
	}
	// The log changes nothing on the screen.
	if got, want := v.sent.String(), "\x1b[31mred\x1b[0m\r\n1%\r2%\r\nend"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// TestLogFails: an error is reported once, and programs go on.
func TestLogFails(t *testing.T) {
	var warned []error
	log, err := OpenLog(filepath.Join(t.TempDir(), "log"), func(err error) { warned = append(warned, err) })
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	s, v, _ := onTerminal(t, Options{Log: log})
	a := s.Program("a", true, nil)
	for range 3 {
		write(t, a.Stdout(), "x\n")
	}
	if len(warned) != 1 {
		t.Errorf("warned %v", warned)
	}
	v.want("output", "x", "x", "x", "")
}

// TestWhole: lines of programs that print at the same time stay whole and in order.
func TestWhole(t *testing.T) {
	const programs, count = 20, 500
	var out strings.Builder
	s := New(Options{Stdout: &out, Stderr: &out})
	s.err = s.out
	var all []*Program
	for i := range programs {
		all = append(all, s.Program(fmt.Sprintf("p%02d", i), i%2 == 0, nil))
	}
	var group sync.WaitGroup
	for _, p := range all {
		group.Go(func() {
			for n := range count {
				text := fmt.Sprintf("\x1b[3%dmline %d of %s\x1b[0m\n", n%8, n, p.name)
				for i := 0; i < len(text); i += 7 {
					_, _ = io.WriteString(p.Stdout(), text[i:min(i+7, len(text))])
				}
			}
		})
	}
	group.Wait()
	next := map[string]int{}
	for line := range strings.Lines(sgr.ReplaceAllString(out.String(), "")) {
		name, _, _ := strings.Cut(line, " ")
		if want := fmt.Sprintf("%s | line %d of %s\n", name, next[name], name); line != want {
			t.Fatalf("got %q, want %q", line, want)
		}
		next[name]++
	}
	for _, p := range all {
		if next[p.name] != count {
			t.Errorf("%s has %d lines", p.name, next[p.name])
		}
	}
}

// TestWriteOfNothing wants an empty write, which [io.Writer] allows, to do nothing.
func TestWriteOfNothing(t *testing.T) {
	var out strings.Builder
	p := New(Options{Stdout: &out, Stderr: &out}).Program("a", false, nil)
	if n, err := p.Stdout().Write(nil); n != 0 || err != nil || out.Len() > 0 {
		t.Errorf("%d, %v, printed %q", n, err, out.String())
	}
}
