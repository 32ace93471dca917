package main

import (
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/duration"
)

// startsDaemon is a command that starts encore's daemon if none runs, and changes
// nothing otherwise. "encore daemon" would replace a running daemon.
var startsDaemon = []string{"encore", "namespace", "list"}

// daemonTimeout bounds this command.
const daemonTimeout = 30 * duration.Second

// saysAuth is encore's advice to log in. It means that the daemon runs, which requires no
// login.
const saysAuth = "encore auth login"

// saysLate is encore's error if its daemon does not start within 5 s. The daemon may
// answer the next time.
const saysLate = "daemon: "

// startDaemon starts the daemon with a command without variables of this project: the
// daemon keeps that command's environment and passes it to the apps of all the user's
// projects. files are the dotenv files of the later commands; if these have no variables
// of the project, they may start the daemon themselves.
func (r *run) startDaemon(ctx backend.Context, reason string, files []string) error {
	if len(files) == 0 && len(r.base()) == 0 && len(r.variables()) == len(r.steering()) {
		return nil
	}
	command := strings.Join(startsDaemon, " ")
	res, err := r.askDaemon(ctx)
	if err == nil && res.ExitCode != 0 && !res.Interrupted && strings.Contains(res.Stderr, saysLate) {
		res, err = r.askDaemon(ctx)
	}
	switch {
	case err != nil:
		return r.failure(reason, command+", which starts encore's daemon", err)
	case res.Interrupted:
		return interrupted(command)
	case res.ExitCode == 0:
		return nil
	case strings.Contains(res.Stderr, saysAuth):
		backend.Log(ctx, abi.LevelDebug, command+": not logged in, but the daemon runs")
		return nil
	}
	e := r.failed(reason, "cannot start encore's daemon without the variables of this project: "+command+" ended with exit code "+strconv.Itoa(res.ExitCode))
	e.Hint = "run it in " + r.dir + " to see what is wrong"
	e.Output = end(res.Stderr)
	return e
}

func (r *run) askDaemon(ctx backend.Context) (abi.ExecResult, error) {
	return backend.Exec(ctx, abi.ExecRequest{
		Argv: startsDaemon, Dir: r.dir, Env: r.steering(), Capture: true, TimeoutMS: daemonTimeout,
	})
}
