package abi_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

func ExampleDecode() {
	var config struct {
		Command []string `json:"command"`
		Port    uint16   `json:"port"`
	}
	fmt.Println(abi.Decode(json.RawMessage(`{"command": ["npm", "start"], "port": 3000}`), &config), config.Command, config.Port)

	err := abi.Decode(json.RawMessage(`{"comand": [], "port": "3000"}`), &config)
	e, _ := errors.AsType[*abi.Error](err)
	for _, p := range e.Problems {
		fmt.Println(p.Pointer, p.Message)
		fmt.Println("  ", p.Hint)
	}
	// Output:
	// <nil> [npm start] 3000
	// /comand unknown key
	//    did you mean "command"? known here: command, port
	// /port is a string, expected a whole number, 0 or more
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

func ExampleErrorf() {
	err := abi.Errorf(abi.CodeNotFound, "no file %q", "package.json")
	err.Hint = "run npm init"
	fmt.Println(err.Code, err)
	// Output: not_found no file "package.json"
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
	// Output: 12 operations
}

func ExampleExports() {
	fmt.Println(abi.Exports())
	// Output: [build_docker describe dev validate]
}
