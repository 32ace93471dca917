package providertest

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"sync"
)

// goEnv asks the go command once, since tests ask for every run of the binary.
var goEnv = sync.OnceValues(func() (map[string]string, error) {
	out, err := exec.Command("go", "env", "-json").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	var env map[string]string
	return env, json.Unmarshal(out, &env)
})

// GoEnv is a variable of the go command's environment, empty where there is
// none. It is as it was when the first test asked.
func GoEnv(name string) string {
	env, err := goEnv()
	if err != nil {
		return ""
	}
	return env[name]
}
