package settings_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/settings"
)

// both is decoded with its tags and with its fields.
type both struct {
	Text  string            `json:"text"`
	On    bool              `json:"on"`
	Maybe *bool             `json:"maybe"`
	Port  int               `json:"port"`
	Words []string          `json:"words"`
	Env   map[string]string `json:"env"`
	Part  part              `json:"part"`
	Parts []part            `json:"parts"`
	Names map[string]part   `json:"a/b~c"`
}

type part struct {
	Path string `json:"path"`
}

func (b *both) Fields() []abi.Field {
	return []abi.Field{
		{Name: "text", To: &b.Text}, {Name: "on", To: &b.On}, {Name: "maybe", To: abi.Optional(&b.Maybe)}, {Name: "port", To: &b.Port},
		{Name: "words", To: &b.Words}, {Name: "env", To: &b.Env}, {Name: "part", To: &b.Part}, {Name: "parts", To: abi.List(&b.Parts)},
		{Name: "a/b~c", To: abi.Map(&b.Names)},
	}
}

func (p *part) Fields() []abi.Field { return []abi.Field{{Name: "path", To: &p.Path}} }

// FuzzAgree requires [abi.Decode] to take and refuse what [settings.Decode] does, with
// the same problems.
func FuzzAgree(f *testing.F) {
	for _, seed := range []string{
		`{"text":"a","on":true,"maybe":false,"port":80,"words":["b"],"env":{"C":"d"},"part":{"path":"e"},"parts":[{"path":"f"}],"a/b~c":{"g":{"path":"h"}}}`,
		`{"text":null,"on":null,"maybe":null,"port":null,"words":null,"env":null,"part":null,"parts":null,"a/b~c":null}`,
		`{"text":1,"on":"","maybe":[],"port":1.5,"words":{},"env":[],"part":"x","parts":true,"a/b~c":[1]}`,
		`{"words":[1,null,"a",[]],"env":{"B":1,"A":null},"parts":[{"pth":""},[],{"path":2}],"a/b~c":{"x/y":{"z":1}}}`,
		`{"txt":1,"Text":"","zzzzzzzz":null,"port":99999999999999999999,"":{}}`, `[]`, `null`, ` `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var tree any
		if len(data) > 0 && json.Unmarshal(data, &tree) != nil {
			return
		}
		// With unique keys: of duplicates, only one has to be decoded.
		unique, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		var tags, fields both
		want, got := problems(settings.Decode(unique, &tags)), problems(abi.Decode(unique, &fields))
		if !reflect.DeepEqual(got, want) || want == nil && !reflect.DeepEqual(fields, tags) {
			t.Errorf("%s:\n%+v %+v, want\n%+v %+v", unique, fields, got, tags, want)
		}
	})
}

func problems(err error) *abi.Error {
	e, _ := errors.AsType[*abi.Error](err)
	return e
}
