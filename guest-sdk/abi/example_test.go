package abi_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

type config struct {
	command []string
	port    int
}

func (c *config) Fields() []abi.Field {
	return []abi.Field{{Name: "command", To: &c.command}, {Name: "port", To: &c.port}}
}

func ExampleDecode() {
	var c config
	fmt.Println(abi.Decode(abi.JSON(`{"command": ["npm", "start"], "port": 3000}`), &c), c.command, c.port)

	err := abi.Decode(abi.JSON(`{"comand": [], "port": "3000"}`), &c)
	e, _ := errors.AsType[*abi.Error](err)
	for _, p := range e.Problems {
		fmt.Println(p.Pointer, p.Message)
		fmt.Println("  ", p.Hint)
	}
	// Output:
	// <nil> [npm start] 3000
	// /comand unknown key
	//    did you mean "command"? known here: command, port
	// /port is a string, expected a whole number
}

// app is a provider's settings with parts of each kind.
type app struct {
	start    *bool
	services []config
	env      map[string]abi.Value
}

func (a *app) Fields() []abi.Field {
	return []abi.Field{
		{Name: "start", To: abi.Optional(&a.start)},
		{Name: "services", To: abi.List(&a.services)},
		{Name: "env,omitempty", To: abi.Map(&a.env)},
	}
}

func ExampleOptional() {
	var a app
	fmt.Println(a.start == nil, abi.Decode(abi.JSON(`{"start": false}`), &a), *a.start)
	// Output: true <nil> false
}

func ExampleList() {
	var a app
	fmt.Println(abi.Decode(abi.JSON(`{"services": [{"port": 1}, {"port": "2"}]}`), &a), a.services[0].port)
	// Output: services[1].port: is a string, expected a whole number 1
}

func ExampleMap() {
	var a app
	fmt.Println(abi.Decode(abi.JSON(`{"env": {"TOKEN": {"env": "TOKEN"}}}`), &a), a.env["TOKEN"].Env)
	// Output: <nil> TOKEN
}

func ExampleEncode() {
	data, err := abi.Encode(&app{services: []config{{command: []string{"npm", "start"}}}})
	fmt.Println(string(data), err)
	// Output: {"start":null,"services":[{"command":["npm","start"],"port":0}]} <nil>
}

// Unmarshal ignores a field that a later host may send.
func ExampleUnmarshal() {
	var res abi.ExecResult
	err := abi.Unmarshal([]byte(`{"exit_code": 3, "new": true}`), &res)
	fmt.Println(res.ExitCode, err)
	// Output: 3 <nil>
}

func ExampleSortedKeys() {
	fmt.Println(abi.SortedKeys(map[string]int{"b": 1, "a": 2}))
	// Output: [a b]
}

func ExampleUnknownKey() {
	fmt.Println(abi.UnknownKey("/dev/comand", "comand", []string{"args", "command"}).Hint)
	// Output: did you mean "command"? known here: args, command
}

func ExampleInvalid() {
	err := abi.Invalid(
		abi.Problem{Pointer: "/dev/command", Message: "is required"},
		abi.Problem{Pointer: "/dev/args/0", Message: "is empty"},
	)
	fmt.Println(err)
	// Output:
	// dev.command: is required
	// dev.args[0]: is empty
}

func ExampleNewError() {
	err := abi.NewError(abi.CodeNotFound, "no file package.json")
	err.Hint = "run npm init"
	fmt.Println(err.Code, err)
	// Output: not_found no file package.json
}

// A reference stays a reference: the provider never sees the value of TOKEN.
func ExampleValue() {
	env := map[string]abi.Value{"MODE": abi.Text("dev"), "TOKEN": abi.EnvRef("TOKEN", ".env.local")}
	data, err := json.Marshal(env)
	fmt.Println(string(data), err)
	// Output: {"MODE":"dev","TOKEN":{"env":"TOKEN","files":[".env.local"]}} <nil>
}

func ExampleText() {
	data, err := json.Marshal(abi.Text("0755"))
	fmt.Println(string(data), err)
	// Output: "0755" <nil>
}

func ExampleEnvRef() {
	data, err := json.Marshal(abi.EnvRef("PORT"))
	fmt.Println(string(data), err)
	// Output: {"env":"PORT"} <nil>
}

func ExampleNearest() {
	fmt.Println(abi.Nearest("comand", []string{"args", "command", "env"}))
	// Output: command
}

func ExampleFieldName() {
	fmt.Println(abi.FieldName("/dev/command/0"))
	// Output: dev.command[0]
}

func ExampleUnderPointer() {
	fmt.Println(abi.UnderPointer("/scripts", "build/docs"))
	// Output: /scripts/build~1docs
}

func ExampleImportName() {
	for _, operation := range abi.Operations()[:2] {
		fmt.Println(abi.ImportNamespace, abi.ImportName(operation))
	}
	// Output:
	// extism:host/user stagecraft_docker_build
	// extism:host/user stagecraft_docker_image
}

func ExampleOperations() {
	fmt.Println(len(abi.Operations()), "operations")
	// Output: 14 operations
}

func ExampleOptionalExports() {
	fmt.Println(abi.OptionalExports())
	// Output: [detect]
}

func ExampleExports() {
	fmt.Println(abi.Exports())
	// Output: [build_docker describe dev validate]
}
