package hostile_test

import (
	"go/scanner"
	"go/token"
	"strings"
	"testing"
)

// goToken is a token of Go and its offsets in a text.
type goToken struct {
	text           string
	offset, length int
}

// tokensOf returns the tokens of Go code, except those that depend on the layout:
// comments, semicolons at the end of a line, and commas before a closing bracket.
func tokensOf(text string) []goToken {
	file := token.NewFileSet().AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), nil, 0)
	var all []goToken
	for {
		pos, tok, literal := s.Scan()
		switch {
		case tok == token.EOF:
			return all
		case tok == token.SEMICOLON && literal == "\n":
			continue
		case tok == token.RPAREN || tok == token.RBRACE || tok == token.RBRACK:
			if n := len(all); n > 0 && all[n-1].text == "," {
				all = all[:n-1]
			}
		}
		if literal == "" {
			literal = tok.String()
		}
		all = append(all, goToken{literal, file.Offset(pos), len(literal)})
	}
}

// tokenText joins tokens, so that sequences of them can be found as text.
func tokenText(tokens []goToken) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(t.text)
		b.WriteByte('\n')
	}
	return b.String()
}

// TestMutationFind finds code in the named function, whatever its layout, and nowhere
// else.
func TestMutationFind(t *testing.T) {
	file := newSourceFile("a.go", `package a

func one() {
	if err := f(
		x, // a comment
		y,
	); err != nil {
		return
	}
	g()
}

func (t *two) three() { g() }
`)
	for _, test := range []struct{ in, old, new, want string }{
		{"one", "if err := f(x, y); err != nil {", "if err := f(x); err != nil {", "\tif err := f(x); err != nil {\n\t\treturn\n"},
		{"two.three", "g()", "h()", "func (t *two) three() { h() }"},
		{"one", "g()", "h()", "\t}\n\th()\n}"},
		{"four", "g()", "h()", ""},
		{"four", "if err := f(x, y); err != nil {", "h()", ""},
		{"one", "g()", " g( )", ""},
		{"one", "k()", "h()", ""},
	} {
		m := mutation{function: test.in, old: test.old, new: test.new}
		p, err := m.find([]*sourceFile{file})
		switch {
		case test.want == "" && err == nil:
			t.Errorf("%+v: no error", test)
		case test.want == "":
		case err != nil:
			t.Errorf("%+v: %v", test, err)
		case !strings.Contains(p.apply(m), test.want):
			t.Errorf("%+v: got %s", test, p.apply(m))
		}
	}
}
