package providertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// linked builds a program, which the go command keeps for the next time, and
// returns its path. dir is the directory of a tool's module, which is not part
// of the workspace, or empty.
func linked(dir string, args ...string) (string, error) {
	// Right after the build, the path is another than that in the cache.
	for range 2 {
		program, err := goCommand(dir, append([]string{"run", "-exec", "echo"}, args...)...)
		if err != nil {
			return "", err
		}
		if _, err := os.Stat(program); err == nil {
			return program, nil
		}
	}
	return "", fmt.Errorf("go run %s: the program is not kept", strings.Join(args, " "))
}

func goCommand(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if dir != "" {
		cmd.Env = append(cmd.Env, "GOWORK=off")
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, stderr.String())
	}
	return string(bytes.TrimSpace(out)), nil
}

// goEnv asks the go command once, since tests ask for every run of the binary.
var goEnv = sync.OnceValues(func() (map[string]string, error) {
	out, err := exec.Command("go", "env", "-json").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	var env map[string]string
	return env, json.Unmarshal(out, &env)
})

// GoEnv returns a variable of the go command's environment, as it was at the first call;
// empty if unset.
func GoEnv(name string) string {
	env, err := goEnv()
	if err != nil {
		return ""
	}
	return env[name]
}
