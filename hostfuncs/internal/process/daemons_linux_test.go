package process

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestDaemons: a daemon stays with its descendants; similar processes do not.
func TestDaemons(t *testing.T) {
	const daemon = `sleep 1000 & echo ready; wait`
	for name, tt := range map[string]struct {
		start string
		stay  int
	}{
		"the daemon":                  {`setsid /bin/sh -c "$D" &`, 2},
		"detached twice":              {`setsid /bin/sh -c 'setsid /bin/sh -c "$D" & exit' &`, 2},
		"beside another":              {`setsid sleep 1000 & setsid /bin/sh -c "$D" &`, 2},
		"in the group of the command": {`/bin/sh -c "$D" &`, 0},
		"with one argument more":      {`setsid /bin/sh -c "$D" more &`, 0},
		"with the arguments as one":   {`setsid /bin/sh "-c $D" & echo ready`, 0},
		"of another file":             {`cp /bin/sh . && setsid ./sh -c "$D" &`, 0},
		"of another file by its name": {`mkdir bin && cp /bin/sh bin && PATH=bin:$PATH && setsid sh -c "$D" &`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := shell(t, `mkfifo go; exec 3<>go; exec >&3; `+tt.start+` read ready <&3; exit 3`)
			c.Env = append(c.Env, "D="+daemon)
			c.Daemons = []Daemon{{Program: "/bin/sh", Args: []string{"-c", daemon}}}
			if res := run(t, c); res.ExitCode != 3 || res.Killed || res.Left != 0 {
				t.Errorf("got %+v", res)
			}
			left := marked(markOf(c))
			// One that starts a program has no environment to be seen just then.
			for end := time.Now().Add(deadline); len(left) < tt.stay && time.Now().Before(end); {
				left = marked(markOf(c))
			}
			if len(left) != tt.stay {
				t.Errorf("%d stay, want %d", len(left), tt.stay)
			}
			for _, pid := range left {
				finish(pid)
			}
			wantNoneSoon(t, markOf(c))
		})
	}
}

// TestCommandIsNoDaemon: a command ends even if it is listed as a daemon.
func TestCommandIsNoDaemon(t *testing.T) {
	c := shell(t, `echo ready; sleep 1000`)
	c.Daemons = []Daemon{{Program: "/bin/sh", Args: c.Argv[1:]}}
	ready := expect("ready")
	c.Stdout = ready
	ctx, cancel := context.WithCancel(testContext(t))
	done := launch(ctx, c)
	ready.until(t)
	cancel()
	if res := (<-done).must(t); res.Signal != "SIGTERM" || strings.TrimSpace(ready.String()) != "ready" {
		t.Errorf("got %+v", res)
	}
	wantNoneLeft(t, c)
}
