package dockerfile

import "testing"

func TestMisread(t *testing.T) {
	for text, want := range map[string]Misread{
		"FROM scratch\nCOPY a /\n":                                         {},
		"FROM scratch\n# <<E\nENV a=<<E\nCMD echo <<E\n":                   {},
		"FROM scratch\nCOPY a /\nCOPY <<E /a\nx\nE\nRUN <<E\nx\nE\n":       {Heredoc: 3},
		"FROM scratch\nONBUILD RUN <<E\nx\nE\n":                            {Heredoc: 2},
		"FROM scratch AS other\nRUN <<CMD\nFROM a\nCMD\nFROM scratch\n":    {Heredoc: 2},
		"FROM scratch\nADD \\\n  a \\\n  <<E /\nFROM a\nE\nENV a=b\n":      {Heredoc: 2},
		"# syntax=docker/dockerfile:1\nFROM scratch\nRUN 3<<E cat\nx\nE\n": {Heredoc: 3},

		"ARG A=1\nARG A\nFROM a:$A\n":                     {ArgAgain: 2},
		"ARG A=1 B=2\nARG C B\nFROM a\n":                  {ArgAgain: 2},
		"ARG A\nARG A=1\nFROM a:$A\n":                     {},
		"ARG A=1\nARG A=2\nFROM a:$A\n":                   {},
		"ARG GIVEN=1\nARG GIVEN\nFROM a:$GIVEN\n":         {},
		"ARG TARGETARCH\nARG TARGETARCH\nFROM scratch\n":  {},
		"ARG A=1\nFROM scratch\nARG A\nARG A\nLABEL a=$A": {},

		"FROM a AS x\nFROM b AS x\nFROM x\n":                                   {StageAgain: 2},
		"FROM a AS x\nFROM b AS X\nFROM scratch\n":                             {StageAgain: 2},
		"FROM a AS x\nFROM x AS y\nFROM y\n":                                   {},
		"FROM a AS Base\nFROM base\n":                                          {StageCase: 2},
		"FROM --platform=linux/arm64 a as Base\nFROM base\n":                   {StageCase: 2},
		"ARG A=base\nFROM a AS BASE\nFROM $A\n":                                {StageCase: 3},
		"FROM a AS Base\nFROM b\nCOPY --from=base / /\n":                       {StageCase: 2},
		"FROM a AS base\nFROM b\nRUN --mount=from=Base,target=/x x\n":          {StageCase: 2},
		"FROM a AS Base\nFROM b\nCOPY --from=Base / /\nCOPY --from=0 / /\n":    {},
		"FROM a AS \\\n# a comment\n  base\nFROM base\nCOPY --from=base . /\n": {},
	} {
		f, err := Parse("Dockerfile", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		uses, err := f.Uses(Options{BuildPlatform: "linux/amd64", Args: map[string]string{"GIVEN": "2"}})
		if err != nil || uses.Misread != want {
			t.Errorf("%q: %+v, %v, want %+v", text, uses.Misread, err, want)
		}
	}
}
