package abi_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"unicode"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// messages returns an empty value of each type that crosses between a module and its
// host.
func messages() []abi.Object {
	return []abi.Object{
		new(abi.Reply), new(abi.Error), new(abi.Problem),
		new(abi.Description), new(abi.Capabilities), new(abi.ExecAsk), new(abi.BuildAsk),
		new(abi.ValidateOptions), new(abi.DevOptions), new(abi.BuildDockerOptions), new(abi.BuildDockerResult),
		new(abi.DetectOptions), new(abi.DetectResult), new(abi.Candidate), new(abi.Needs),
		new(abi.ExecRequest), new(abi.ExecResult), new(abi.ProcessStartRequest), new(abi.ProcessStartResult),
		new(abi.ProcessWaitRequest), new(abi.ProcessWaitResult), new(abi.ProcessExit), new(abi.ProcessLine),
		new(abi.Ready), new(abi.ReadyHTTP), new(abi.Key), new(abi.TypedKey), new(abi.ProcessReady), new(abi.ReadyRequest), new(abi.ReadyProcess),
		new(abi.WatchRequest), new(abi.WatchResult), new(abi.FilesChanged),
		new(abi.ProcessStopRequest), new(abi.ProbeRequest), new(abi.ProbeResult),
		new(abi.DockerBuildRequest), new(abi.DockerBuildResult), new(abi.DockerImageRequest), new(abi.DockerImageResult),
		new(abi.PathRequest), new(abi.StatRequest), new(abi.ReadFileResult), new(abi.FileInfo), new(abi.ListResult),
		new(abi.EnvStatusRequest), new(abi.EnvStatusResult), new(abi.LogRequest), new(abi.Empty),
	}
}

// fill sets a value to random content, with the parts that JSON can express.
func fill(t *testing.T, r *rand.Rand, v reflect.Value) {
	switch v.Type() {
	case reflect.TypeFor[abi.JSON]():
		texts := []string{``, `null`, ` {"a" : [1, "<\u2028\"\\"]} `, `"é 漢\u0000"`}
		if text := texts[r.Intn(len(texts))]; text != "" {
			v.SetBytes([]byte(text))
		}
		return
	case reflect.TypeFor[abi.Value]():
		values := []abi.Value{{}, abi.Text("a\x00<b>\u2029\xff\ufffd"), abi.EnvRef("A"), abi.EnvRef("A", "b", "c")}
		v.Set(reflect.ValueOf(values[r.Intn(len(values))]))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, r, v.Field(i))
		}
	case reflect.Pointer:
		if r.Intn(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, r, v.Elem())
		}
	case reflect.Slice:
		if r.Intn(4) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), r.Intn(3), 3))
		}
		for i := range v.Len() {
			fill(t, r, v.Index(i))
		}
	case reflect.Map:
		if r.Intn(4) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range r.Intn(4) {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(t, r, key)
				fill(t, r, value)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.String:
		if r.Intn(4) > 0 {
			texts := []string{"a", "é漢😀", "<&>\"\\\x00\x1f\x7f\b\f\n\r\t", "\u2028\ufffd", "a/b~c"}
			v.SetString(texts[r.Intn(len(texts))])
		}
	default:
		random, ok := quick.Value(v.Type(), r)
		if !ok {
			t.Fatalf("no value for %v", v.Type())
		}
		if r.Intn(4) > 0 {
			v.Set(random)
		}
	}
}

// TestCodecs checks that what a module writes and reads is what encoding/json, which the
// host uses, makes of the tags: each field, its name and whether it may be left out.
func TestCodecs(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, empty := range messages() {
		typ := reflect.TypeOf(empty).Elem()
		for range 300 {
			v := reflect.New(typ)
			fill(t, r, v.Elem())
			want, err := json.Marshal(v.Interface())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := abi.Encode(v.Interface().(abi.Object)); err != nil || string(got) != string(want) {
				t.Fatalf("%v: encoded\n%s, %v, want\n%s", typ, got, err, want)
			}
			ours, theirs := reflect.New(typ), reflect.New(typ)
			if err := json.Unmarshal(want, theirs.Interface()); err != nil {
				t.Fatal(err)
			}
			if err := abi.Unmarshal(want, ours.Interface().(abi.Object)); err != nil || !reflect.DeepEqual(ours.Interface(), theirs.Interface()) {
				t.Fatalf("%v: decoded %s\nas %+v, %v, want\n%+v", typ, want, ours.Elem(), err, theirs.Elem())
			}
		}
	}
}

// TestMessages requires each struct with tags to be in messages.
func TestMessages(t *testing.T) {
	var want []string
	for _, v := range messages() {
		want = append(want, reflect.TypeOf(v).Elem().Name())
	}
	var got []string
	for _, name := range []string{"abi.go", "detect.go", "operation.go", "process.go", "provider.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for node := range ast.Preorder(file) {
			if spec, ok := node.(*ast.TypeSpec); ok {
				if fields, ok := spec.Type.(*ast.StructType); ok && (len(fields.Fields.List) == 0 || fields.Fields.List[0].Tag != nil) {
					got = append(got, spec.Name.Name)
				}
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the package has %q, the tests %q", got, want)
	}
}

// TestTags compares the names of the fields with the tags, in the same order.
func TestTags(t *testing.T) {
	for _, v := range messages() {
		var names, tags []string
		for _, f := range v.Fields() {
			names = append(names, f.Name)
		}
		for f := range reflect.TypeOf(v).Elem().Fields() {
			tags = append(tags, f.Tag.Get("json"))
		}
		if !slices.Equal(names, tags) {
			t.Errorf("%T: fields %q, tags %q", v, names, tags)
		}
	}
}

// FuzzJSON compares the reader with that of encoding/json.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(` {"a" : [1, -2.5e+3, "\ud83d\ude00\n\ud83d"], "b":{}, "c":null} `))
	f.Add([]byte(`[01, 1., 1e, -, tru, "\x", "\u12", {"a":1,}, [1 2]]`))
	f.Add([]byte("\"\u2028\xff<\""))
	f.Add([]byte(`{"a`))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = slices.Clip(data) // reading behind the end is a panic
		got, err := abi.JSON(data).GetJSON()
		want, wrong := json.Marshal(json.RawMessage(data))
		if data == nil || (err == nil) != (wrong == nil) || err == nil && string(got) != string(want) {
			t.Errorf("%q: got %s, %v, want %s, %v", data, got, err, want, wrong)
		}
	})
}

// FuzzUnmarshal compares the decoders with documents of unique keys in small letters:
// encoding/json finds fields with other letters too.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"ok":{"a":[1]},"error":{"code":"x","problems":[{"key":true}],"exit_code":1.5}}`))
	f.Add([]byte(`{"context":"a","args":{"a":"b"},"secrets":{"s":{"env":"A"}},"tags":[null,"a"],"push":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var tree any
		if json.Unmarshal(data, &tree) != nil || strings.ContainsFunc(string(data), func(r rune) bool { return r == '\\' || r > unicode.MaxASCII || unicode.IsUpper(r) }) {
			return
		}
		unique, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		for _, empty := range messages() {
			typ := reflect.TypeOf(empty).Elem()
			ours, theirs := reflect.New(typ), reflect.New(typ)
			err, wrong := abi.Unmarshal(unique, ours.Interface().(abi.Object)), json.Unmarshal(unique, theirs.Interface())
			if (err == nil) != (wrong == nil) || err == nil && !reflect.DeepEqual(ours.Interface(), theirs.Interface()) {
				t.Errorf("%v from %s:\n%+v, %v, want\n%+v, %v", typ, unique, ours.Elem(), err, theirs.Elem(), wrong)
			}
		}
	})
}
