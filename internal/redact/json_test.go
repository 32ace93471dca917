package redact_test

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

func TestJSON(t *testing.T) {
	for _, tt := range []struct{ name, value, in, want string }{
		{"string", "s3cret", `{"a": "x s3cret y"}`, `{"a": "x *** y"}`},
		{"alone", "s3cret", `"s3cret"`, `"***"`},
		{"names", "s3cret", `{"s3cret" : {"s3cret":"s3cret"}}`, `{"s3cret" : {"s3cret":"***"}}`},
		{"nested", "s3cret", `[[{"a":["s3cret",{"b":"s3cret"}]}]]`, `[[{"a":["***",{"b":"***"}]}]]`},
		{"the rest as it was", "s3cret", "\t{ \"z\":1.0e+2,\r\n\"a\" :\"\\u0041<\\/\" , \"a\":\"s3cret\"}\n", "\t{ \"z\":1.0e+2,\r\n\"a\" :\"\\u0041<\\/\" , \"a\":\"***\"}\n"},
		{"nothing", "s3cret", "", ""},
		{"blanks", "s3cret", " \n", " \n"},
		{"lines", "s3cret", "{\"a\":\"s3cret\"}\n\n{\"b\":\"s3cret\"}\n", "{\"a\":\"***\"}\n\n{\"b\":\"***\"}\n"},
		{"escapes", "a/\"\nß", `["\u0061\/\"\n\u00DF"]`, `["***"]`},
		{"escapes around", "s3cret", `["\"\\s3cret\\\"<\u003c"]`, `["\"\\***\\\"<<"]`},
		{"an escaped backslash at the end", "s3cret", `["a\\","s3cret"]`, `["a\\","***"]`},
		{"JSON in JSON", "a\"bc", `"{\"a\":\"a\\\"bc\"}"`, `"{\"a\":\"***\"}"`},
		{"base64", "s3cret", `{"a":"czNjcmV0"}`, `{"a":"***"}`},
		{"invalid UTF-8", "ab\xffcd", "\"ab\xffcd\"", `"***"`},
		{"number", "12345678", `{"a":12345678,"b":[-12345678, 123456789]}`, `{"a":"***","b":[-12345678, 123456789]}`},
		{"number with an exponent", "1.5E+10", `[1.5E+10]`, `["***"]`},
		{"true", "true", `[true,false,"true"]`, `["***",false,"***"]`},
		{"null", "null", "null", `"***"`},
		{"structure", `","`, `["a","b"]`, `["a","b"]`},
		{"longer structure", `","b`, `["a","b"]`, `["a","b"]`},
		{"structure in a string", `","b`, `["a\",\"b","b"]`, `["a***","b"]`},
		{"over lines", "}\n{}", "{}\n{}", "{}\n{}"},
		{"invalid", "s3cret", `{"s3cret": "s3cret`, `{"***": "***`},
		{"a line of text", "s3cret", "{\"a\":\"s3cret\"}\nfound s3cret\n", "{\"a\":\"***\"}\nfound ***\n"},
		{"literals that touch", "truefalse", `truefalse`, `***`},
		{"documents that touch", "12345678", `12345678"a"12345678[]`, `"***""a""***"[]`},
		{"invalid after a number", "12345678", `[12345678`, `[***`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s redact.Set
			s.Add(tt.value)
			s.Add("another value")
			in := []byte(tt.in)
			if got := s.JSON(in); string(got) != tt.want {
				t.Errorf("JSON(%s) = %s, want %s", tt.in, got, tt.want)
			}
			if string(in) != tt.in {
				t.Errorf("changed to %s", in)
			}
		})
	}
}

// FuzzJSON wants JSON to stay JSON of the same shape, with no value in its
// strings.
func FuzzJSON(f *testing.F) {
	f.Add("s3cret", `{"a":["x s3cret",12345678,true,null,{"s3cret":"\u0073\"\\"}]}`)
	f.Add("12345678", "12345678\n{\"a\":-12345678} \"12345678\"[]")
	f.Add("a\"b\\c\n", `"a\"b\\c" "a\\\"b\\\\c"`)
	f.Add("0000", `0000`)
	f.Fuzz(func(t *testing.T, value, text string) {
		var s redact.Set
		s.Add(value)
		got := s.JSON([]byte(text))
		before, ok := decode(text)
		if !ok {
			if want := s.Text(text); string(got) != want {
				t.Fatalf("not JSON: %q, want %q", got, want)
			}
			return
		}
		after, ok := decode(string(got))
		if !ok || len(after) != len(before) {
			t.Fatalf("JSON(%s) = %s", text, got)
		}
		for i := range before {
			wantMasked(t, &s, before[i], after[i])
		}
	})
}

// literals matches two that nothing separates.
var literals = regexp.MustCompile(`^[a-z0-9][-a-z0-9]`)

func decode(text string) (documents []any, ok bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for {
		var v any
		if err := d.Decode(&v); err != nil {
			return documents, err == io.EOF
		}
		if end := d.InputOffset(); literals.MatchString(text[end-1:]) {
			return nil, false
		}
		documents = append(documents, v)
	}
}

func wantMasked(t *testing.T, s *redact.Set, before, after any) {
	t.Helper()
	switch before := before.(type) {
	case map[string]any:
		after, _ := after.(map[string]any)
		if len(after) != len(before) {
			t.Fatalf("%v became %v", before, after)
		}
		for name := range before {
			wantMasked(t, s, before[name], after[name])
		}
	case []any:
		after, _ := after.([]any)
		if len(after) != len(before) {
			t.Fatalf("%v became %v", before, after)
		}
		for i := range before {
			wantMasked(t, s, before[i], after[i])
		}
	case string:
		if after != s.Text(before) {
			t.Errorf("%q became %v", before, after)
		}
	default:
		if after != before && after != "***" {
			t.Errorf("%v became %v", before, after)
		}
	}
}
