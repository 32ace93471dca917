package settings_test

import (
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/settings"
)

func ExampleDecode() {
	var config struct {
		Command []string `json:"command"`
		Port    uint16   `json:"port"`
	}
	fmt.Println(settings.Decode([]byte(`{"command": ["npm", "start"], "port": 3000}`), &config), config.Command, config.Port)

	err := settings.Decode([]byte(`{"comand": [], "port": "3000"}`), &config)
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
