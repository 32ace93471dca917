package termtext_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

func TestMark(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"nothing":                       {"", ""},
		"ASCII":                         {`run: npm ci --x="a/b" <U+0435>`, `run: npm ci --x="a/b" <U+0435>`},
		"accents":                       {"café größe Łódź smørrebrød Đà Nẵng İ", "café größe Łódź smørrebrød Đà Nẵng İ"},
		"an accent apart":               {"cafe\u0301", "cafe\u0301"},
		"a Cyrillic letter":             {"g\u0435neric", "g<U+0435>neric"},
		"a Greek letter":                {"n\u03bfde", "n<U+03BF>de"},
		"an Armenian letter":            {"g\u0585", "g<U+0585>"},
		"a Cherokee letter":             {"\u13aaI", "<U+13AA>I"},
		"one Latin letter":              {"сорy", "<U+0441><U+043E><U+0440>y"},
		"a word that reads as Latin":    {"run: сору a", "run: сору<Cyrillic> a"},
		"of two other scripts":          {"с\u03bf", "<U+0441><U+03BF>"},
		"a sentence":                    {"адрес сервера, порт 5432", "адрес сервера, порт<Cyrillic> 5432"},
		"in between":                    {"read файл a из b", "read файл<Cyrillic> a из<Cyrillic> b"},
		"a path":                        {"資料/データ/한글.md", "資料/データ/한글<Han>.md"},
		"Japanese":                      {"設定のファイル。", "設定のファイル<Han>。"},
		"with digits":                   {"файл2", "файл2<Cyrillic>"},
		"two scripts":                   {"файл שלום", "файл<Cyrillic> שלום<Hebrew>"},
		"lines":                         {"да\nno\nда", "да<Cyrillic>\nno\nда<Cyrillic>"},
		"fullwidth":                     {"ｎpm", "<U+FF4E>pm"},
		"mathematical":                  {"\U0001d5fb\U0001d5fd\U0001d5fa", "<U+1D5FB><U+1D5FD><U+1D5FA>"},
		"a phonetic g":                  {"\u0261it", "<U+0261>it"},
		"a dotless i":                   {"g\u0131t", "g<U+0131>t"},
		"a Roman numeral":               {"\u217c", "<U+217C>"},
		"a digit in another shape":      {"port \uff18080", "port <U+FF18>080"},
		"digits of another script":      {"port \u0668", "port \u0668<Arabic>"},
		"a sound mark that is a dash":   {"rm \u30fcrf", "rm <U+30FC>rf"},
		"slashes":                       {"a\u2044b\u2215c\uff0fd", "a<U+2044>b<U+2215>c<U+FF0F>d"},
		"dashes":                        {"rm \u2010\u2013f \u2212r", "rm <U+2010><U+2013>f <U+2212>r"},
		"a dot, a colon and a star":     {"a\u2024b\ua789c\u2217", "a<U+2024>b<U+A789>c<U+2217>"},
		"what reads as nothing else":    {"“it’s” … 🚀 €5", "“it’s” … 🚀 €5"},
		"a letter behind another sign":  {"@ѕcope/pаck", "@<U+0455>cope/p<U+0430>ck"},
		"a part between Latin ones":     {"a-е-b", "a-е<Cyrillic>-b"},
		"a number between two of these": {"да 1 да", "да 1 да<Cyrillic>"},
	} {
		if got := termtext.Mark(tt.in); got != tt.want {
			t.Errorf("%s: Mark(%q) = %q, want %q", name, tt.in, got, tt.want)
		}
	}
}

// FuzzMark wants a letter of another script to have a mark, and a text of ASCII to
// stay as it is.
func FuzzMark(f *testing.F) {
	for _, seed := range []string{"g\u0435neric", "сору", "ｎpm", "資料/データ", "a\u2044b", "\u0131", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = termtext.Clean(s)
		got := termtext.Mark(s)
		if termtext.Clean(got) != got {
			t.Errorf("Mark(%q) = %q, which is not clean", s, got)
		}
		if plain := !strings.ContainsFunc(s, func(r rune) bool { return r > '~' }); plain && got != s {
			t.Errorf("Mark(%q) = %q", s, got)
		}
		foreign := strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) })
		if foreign && strings.Count(got, "<") <= strings.Count(s, "<") {
			t.Errorf("Mark(%q) = %q", s, got)
		}
		if len(got) > 12*len(s) {
			t.Errorf("%d bytes become %d", len(s), len(got))
		}
	})
}
