package dotenv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"
)

// vars are a file's.
type vars map[string]string

// host looks in the host's environment of the test.
func (v vars) host(name string) (string, bool) {
	value, ok := v[name]
	return value, ok
}

// fileCase is a file, and what is to be read from it with this environment.
type fileCase struct {
	name string
	file string
	host vars
	want vars
}

func checkFiles(t *testing.T, cases []fileCase) {
	t.Helper()
	for _, tt := range cases {
		got, err := Parse([]byte(tt.file), tt.host.host)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(map[string]string(tt.want), got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}

// The cases of the next tests are those of Compose's own, in
// https://github.com/compose-spec/compose-go/tree/v2.16.2/dotenv

func TestLines(t *testing.T) {
	checkFiles(t, []fileCase{
		{"nothing", "", nil, vars{}},
		{"a line without its end", "A=1", nil, vars{"A": "1"}},
		{"blanks around =", "A=1\nB= 2\nC =3\nD = 4\n\tE\t=\t5\n", nil, vars{"A": "1", "B": "2", "C": "3", "D": "4", "E": "5"}},
		{"blanks at an end", "A=1 \nB=2\t\nC=a b  \n", nil, vars{"A": "1", "B": "2", "C": "a b"}},
		{"nothing after =", "A=\nB = \nC=\"\"\nD=''\n", nil, vars{"A": "", "B": "", "C": "", "D": ""}},
		{"lines to pass by", "\n\r\n\t\t \n# comment\n\t # comment\nA=1\n\n", nil, vars{"A": "1"}},
		{"lines of Windows", "A=1\r\nB='2'\r\nC=\"3\" # three\r\n", nil, vars{"A": "1", "B": "2", "C": "3"}},
		{"as in YAML", "A: 1\nB: x=y\nC=1:2\n", nil, vars{"A": "1", "B": "x=y", "C": "1:2"}},
		{"= in a value", "A=b=\nB='postgres://h:5432/d?sslmode=disable'\n", nil, vars{"A": "b=", "B": "postgres://h:5432/d?sslmode=disable"}},
		{"a second time", "A=1\nA=2\n", nil, vars{"A": "2"}},
		{"byte order mark", "\uFEFFA=1\nB=2\n", nil, vars{"A": "1", "B": "2"}},
	})
}

func TestNames(t *testing.T) {
	checkFiles(t, []fileCase{
		{"of other characters", "A.B=1\nA-B=2\nA_B=3\na[1]=4\n456=5\n", nil, vars{"A.B": "1", "A-B": "2", "A_B": "3", "a[1]": "4", "456": "5"}},
		{"of other letters", "tükör-GÉP=Árvíz\n", nil, vars{"tükör-GÉP": "Árvíz"}},
		{"after export", "export A=1\nexport\tB=2\n  export C=3\n\texport D=\"export d\"\n", nil, vars{"A": "1", "B": "2", "C": "3", "D": "export d"}},
		{"that begin with export", "exportA=1\nexport_B =2\nexport.C= 3\nexport exportD=4\n", nil, vars{"exportA": "1", "export_B": "2", "export.C": "3", "exportD": "4"}},
	})
}

func TestQuotes(t *testing.T) {
	checkFiles(t, []fileCase{
		{"both kinds", "A='1'\nB=\"2\"\nC = \"a b\"\n", nil, vars{"A": "1", "B": "2", "C": "a b"}},
		{"of the other kind", `A="'d'"` + "\n" + `B="echo 'x'"` + "\n" + `C='"'` + "\n", nil, vars{"A": "'d'", "B": "echo 'x'", "C": `"`}},
		{"of its own kind", `A="x\"y"` + "\n" + `B="\"z\""` + "\n" + `C='Let\'s go!'` + "\n", nil, vars{"A": `x"y`, "B": `"z"`, "C": "Let's go!"}},
		{"inside of a value", "A=say \"x\" 'y'\n", nil, vars{"A": `say "x" 'y'`}},
		{"over several lines", "A='one\ntwo\nthree'\nB=\"four\nfive\"\nC=6\n", nil, vars{"A": "one\ntwo\nthree", "B": "four\nfive", "C": "6"}},
		{"escapes without quotes", `A=a\tb` + "\n" + `B=a\nb` + "\n", nil, vars{"A": `a\tb`, "B": `a\nb`}},
		{"escapes in single quotes", `A='\n'` + "\n" + `B='a\tb'` + "\n", nil, vars{"A": `\n`, "B": `a\tb`}},
		{"escapes in double quotes", `A="Z\aZ\bZ\fZ\nZ\rZ\tZ\vZ\\Z\0123Z"`, nil, vars{"A": "Z\aZ\bZ\fZ\nZ\rZ\tZ\vZ\\ZSZ"}},
		{"no escapes of echo's", `A="\x07"` + "\n" + `B="\u12e4"` + "\n" + `C="\U00101234"` + "\n", nil, vars{"A": `\x07`, "B": `\u12e4`, "C": `\U00101234`}},
		{"backslashes", `A="x\n\ y\az"` + "\n" + `B="x\\\n\ y\az"` + "\n" + `C="x\\r\ y\az"` + "\n" + `D="x\ny\\"` + "\n", nil,
			vars{"A": "x\n\\ y\az", "B": "x\\\n\\ y\az", "C": "x\\r\\ y\az", "D": "x\ny\\"}},
	})
}

func TestComments(t *testing.T) {
	checkFiles(t, []fileCase{
		{"after a value", "A=x # this\nB=y #this\nC=z #\n", nil, vars{"A": "x", "B": "y", "C": "z"}},
		{"no comment", "A=123#not\nB=#c\n", nil, vars{"A": "123#not", "B": "#c"}},
		{"in quotes", "A=\"x#y\"\nB='x#y'\nC=\"x # y\"\n", nil, vars{"A": "x#y", "B": "x#y", "C": "x # y"}},
		{"after quotes", "A=\"x#y\"#\nB='x#y' # z\nC=\"x#y#z\" # a\n", nil, vars{"A": "x#y", "B": "x#y", "C": "x#y#z"}},
	})
}

func TestReferences(t *testing.T) {
	const chain = "B=${A}\nC=$B\nD=${A}_${B}\nE=${NONE}\n"
	checkFiles(t, []fileCase{
		{"to the lines above", "A=1\n" + chain, nil, vars{"A": "1", "B": "1", "C": "1", "D": "1_1", "E": ""}},
		{"the host comes first", "A=1\n" + chain, vars{"A": "5"}, vars{"A": "1", "B": "5", "C": "5", "D": "5_5", "E": ""}},
		{"with a default", "A=${A:-1}\n" + chain, nil, vars{"A": "1", "B": "1", "C": "1", "D": "1_1", "E": ""}},
		{"with a default and the host", "A=${A:-1}\n" + chain, vars{"A": "5"}, vars{"A": "5", "B": "5", "C": "5", "D": "5_5", "E": ""}},
		{"to the lines below", "A=$B\nB=1\n", nil, vars{"A": "", "B": "1"}},
		{"beside words", "A=${X}bar\nB=$X.bar\n", vars{"X": "foo"}, vars{"A": "foobar", "B": "foo.bar"}},
		{"in quotes", "A=\"say $X\"\nB='say $X'\n", vars{"X": "x"}, vars{"A": "say x", "B": "say $X"}},
		{"escaped", `A="a\$X"` + "\n" + `B="a\${X} ${X}"` + "\n" + `C=a$$X` + "\n", vars{"X": "x"}, vars{"A": "a$X", "B": "a${X} x", "C": "a$X"}},
		{"default for unset and empty", "A=${U:-d e}\nB=${E:-d e}\nC=${X:-d e}\n", vars{"E": "", "X": "x"}, vars{"A": "d e", "B": "d e", "C": "x"}},
		{"default for unset", "A=${U-d e}\nB=${E-d e}\nC=${X-d e}\n", vars{"E": "", "X": "x"}, vars{"A": "d e", "B": "", "C": "x"}},
		{"required and there", "A=${X:?why}\nB=${X?why}\nC=${E?why}\n", vars{"E": "", "X": "x"}, vars{"A": "x", "B": "x", "C": ""}},
		{"a bare name", "A=1\nX\nB=2\n", vars{"X": "x"}, vars{"A": "1", "X": "x", "B": "2"}},
		{"a bare name that is nowhere", "X\n", nil, vars{}},
		{"a bare name is not of the lines above", "X=1\nX\n", vars{"X": "x"}, vars{"X": "x"}},
	})
}

// TestWrongFiles names a line where there is one, and nothing of its content.
func TestWrongFiles(t *testing.T) {
	const s3cret = "s3cret"
	const value = "a value in it cannot be read"
	for name, tt := range map[string]struct{ file, want string }{
		"no name":                {"=s3cret\n", "it has a name that no variable can have"},
		"bare name at the end":   {"s3cret", "it has a name that no variable can have"},
		"blank in a name":        {"# a\nA=\"\nb\n\"\nS3CRET s3cret\nB=1", "line 5 is not a line of a dotenv file"},
		"other sign in a name":   {"A=1\ns3cret$wut\n", "line 2 is not a line of a dotenv file"},
		"percent":                {"%!(s3cret)=x\n", "line 1 is not a line of a dotenv file"},
		"open quote":             {`A="`, "line 1 is not a line of a dotenv file"},
		"open double quote":      {`A="s3cret`, "line 1 is not a line of a dotenv file"},
		"double quote escaped":   {`A="s3cret\"`, "line 1 is not a line of a dotenv file"},
		"double by single":       {`A="s3cret'`, "line 1 is not a line of a dotenv file"},
		"open single quote":      {`A='s3cret`, "line 1 is not a line of a dotenv file"},
		"single quote escaped":   {`A='s3cret\'`, "line 1 is not a line of a dotenv file"},
		"single by double":       {`A='s3cret"`, "line 1 is not a line of a dotenv file"},
		"required but unset":     {"A=${U?s3cret}\n", value},
		"required but empty":     {"E=\nA=${E:?s3cret}\n", value},
		"reference without end":  {"A=${s3cret\n", value},
		"reference without name": {"A=${}s3cret\n", value},
		"NUL in a value":         {"A=1\nB=s3\x00cret\n", "line 2 has a NUL byte, which no variable can have"},
		"UTF-16":                 {"\xff\xfes\x003\x00cret=", "it is UTF-16, expected UTF-8"},
		"UTF-16 big end":         {"\xfe\xff\x00s", "it is UTF-16, expected UTF-8"},
		"NUL in a name":          {"A\x00=s3cret\n", "line 1 has a NUL byte, which no variable can have"},
		"NUL in quotes":          {"A='1\n\x00s3cret'\n", "line 2 has a NUL byte, which no variable can have"},
	} {
		got, err := Parse([]byte(tt.file), vars{}.host)
		if err == nil || err.Error() != tt.want || got != nil {
			t.Errorf("%s: got %q, %v, want %s", name, got, err, tt.want)
		}
		if err != nil && strings.Contains(strings.ToLower(err.Error()), s3cret) {
			t.Errorf("%s: it tells what is in the file: %v", name, err)
		}
	}
}

// TestLookups wants each variable that a file refers to to be asked for, and no
// other: who may have them is decided by that.
func TestLookups(t *testing.T) {
	asked := make(map[string]bool)
	_, err := Parse([]byte("A=1\nB='$SINGLE'\nC=\"\\$ESCAPED $QUOTED\"\nD=${PLAIN}${DEFAULT:-$NESTED}\nBARE\n# $COMMENT\nE=x # $COMMENT\n"), func(name string) (string, bool) {
		asked[name] = true
		return "", false
	})
	want := map[string]bool{"QUOTED": true, "PLAIN": true, "DEFAULT": true, "NESTED": true, "BARE": true}
	if diff := cmp.Diff(want, asked); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

// TestQuiet wants nothing to be logged of a variable that is not set: its name
// would reach standard error with nothing in between.
func TestQuiet(t *testing.T) {
	if _, err := Parse([]byte("A=$NONE\n"), vars{}.host); err != nil || logrus.StandardLogger().Out != io.Discard {
		t.Errorf("%v, the reader's log is written", err)
	}
}

func lookupTwo(name string) (string, bool) {
	value, ok := map[string]string{"HOST": "h", "EMPTY": ""}[name]
	return value, ok
}

// FuzzStatements wants the same of a file, statement by statement, as Compose's
// reader makes of the whole of it.
func FuzzStatements(f *testing.F) {
	for _, seed := range []string{
		"A=1\nB=${A}${HOST}\n", "A=\"x\ny\"B='$A'\nexport C=$B # no", "# a\n\n A : b\r\nHOST\nNONE\nEMPTY", "A=\"a\\\"b\" B=\"$A\"\n", "A='\\'b'\n",
		"A=\n\"x\"\n", "A=\"x", "A=\\\nB=2", "=x\n", "A", "\uFEFFA=1\n\uFEFFB=2", "A=${B:-${HOST}}\nB=$A\nA=$B$A", "A=\"\\\\\"\nB=1", "a b=1", "A=$$x\nB=\"\\$A\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		quiet()
		got, err := expand(data, lookupTwo)
		if errors.Is(err, errTooMuch) || errors.Is(err, errTooDense) {
			return // and Compose's reader might not end
		}
		want, wantErr := dotenv.ParseWithLookup(bytes.NewReader(data), lookupTwo)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, Compose says %v", data, err, wantErr)
		}
		if err == nil && !maps.Equal(got, want) {
			t.Errorf("%q: got %q, Compose makes %q", data, got, want)
		}
	})
}

// TestParseDense wants references within references to end.
func TestParseDense(t *testing.T) {
	const many = 20_000
	text := "A=" + strings.Repeat("${A:-", many) + strings.Repeat("}", many)
	if _, err := Parse([]byte(text), lookupTwo); !errors.Is(err, errTooDense) {
		t.Error(err)
	}
}

// TestParseBounded wants values made of others to end.
func TestParseBounded(t *testing.T) {
	var doubled strings.Builder
	doubled.WriteString("A0=0123456789\n")
	for i := range 40 {
		fmt.Fprintf(&doubled, "A%d=\"${A%d}${A%d}\"", i+1, i, i)
	}
	for name, text := range map[string]string{
		"doubled":   doubled.String(),
		"on a line": "A=" + strings.Repeat("x", 1000) + "\nB=" + strings.Repeat("$A", 10_000),
	} {
		if _, err := Parse([]byte(text), lookupTwo); !errors.Is(err, errTooMuch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
