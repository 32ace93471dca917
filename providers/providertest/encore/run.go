//go:build linux || darwin

package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var runFlags = []flagDef{
	{name: "watch", short: "w", bare: "true", check: isBool, usage: "Watch for changes and live-reload"},
	{name: "listen", check: isText, usage: `Address to listen on (for example "0.0.0.0:4000")`},
	{name: "port", short: "p", check: isUint, usage: "Port to listen on"},
	{name: "json", bare: "true", check: isBool, usage: "Display logs in JSON format"},
	{name: "namespace", short: "n", check: isText, usage: "Namespace to use (defaults to active namespace)"},
	{name: "color", bare: "true", check: isBool, usage: "Whether to display colorized output"},
	{name: "no-color", bare: "true", check: isBool, usage: "Equivalent to --color=false"},
	{name: "redact", bare: "true", check: isBool, usage: "Redact sensitive data in traces when running locally"},
	{name: "level", short: "l", check: oneOf("trace", "debug", "info", "warn", "error"), usage: "Minimum log level to display"},
	{name: "debug", bare: "enabled", check: oneOf("enabled", "break"), usage: "Compile for debugging (disables some optimizations)"},
	{name: "browser", check: oneOf("auto", "never", "always"), usage: "Whether to open the local development dashboard in the browser on startup"},
}

// interrupts is the only signal that commands of the daemon answer to; others
// end them as they end any program.
func interrupts() <-chan os.Signal {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGINT)
	return ch
}

// runApp takes the port before it compiles. Of what it prints only a hint is on
// standard output.
func (c *call) runApp(given values, _ []string) int {
	a, err := findApp()
	if err != nil {
		return fail("%v", err)
	}
	r := &runner{call: c, app: a, interrupted: interrupts(), addr: listenAddr(given), namespace: given.last("namespace", "")}
	if r.session, err = connect(c.state, r.request()); err != nil {
		return fail("%v", err)
	}
	code := r.steps()
	if code == 0 {
		hintDeploy()
	}
	return code
}

func (r *runner) steps() int {
	if !r.session.served() {
		return 0 // the daemon died
	}
	for _, step := range []func() (int, bool){r.listen, r.resolve, r.compile, r.ready} {
		if code, end := step(); end {
			return code
		}
	}
	return r.follow()
}

// listenAddr: an address with a port has the port flag ignored.
func listenAddr(given values) string {
	listen, port := given.last("listen", ""), given.last("port", "4000")
	if listen == "" {
		return "127.0.0.1:" + port
	}
	if _, _, err := net.SplitHostPort(listen); err == nil {
		return listen
	}
	return net.JoinHostPort(listen, port)
}

type runner struct {
	*call
	app         *app
	session     *session
	interrupted <-chan os.Signal
	addr        string
	namespace   string
}

func (r *runner) request() request {
	return request{Listen: r.addr, Environ: os.Environ(), appPlan: appPlan{
		CrashAfterMS: r.steer.CrashAfterMS, Mute: r.steer.Mute, Status: r.steer.Status, LingerMS: r.steer.lingerMS(), PrintEnv: r.steer.PrintEnv,
	}}
}

func (r *runner) listen() (code int, end bool) {
	select {
	case <-r.interrupted:
		return 0, true
	case m, ok := <-r.session.messages:
		switch {
		case !ok:
			return 0, true
		case m.Listening:
			return 0, false
		case m.InUse:
			m.Failed = "port is already in use"
		}
		fmt.Fprintln(os.Stderr, red("Failed to run on %s - %s", r.addr, m.Failed))
		fmt.Fprintln(os.Stderr, "Note: "+elsewhere(r.addr))
		return 1, true
	}
}

// elsewhere returns an address near one that is in use.
func elsewhere(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	number, nerr := strconv.Atoi(port)
	if err != nil || nerr != nil {
		number = 4000
	}
	for near := number + 1; near <= min(number+10, 65535); near++ {
		ln, err := listenOn(net.JoinHostPort(host, strconv.Itoa(near)))
		if err != nil {
			continue
		}
		_ = ln.Close()
		if host == "localhost" || host == "127.0.0.1" {
			return fmt.Sprintf("port %d is available; specify %s to use it", near, coloured("36", fmt.Sprintf("--port=%d", near)))
		}
		return fmt.Sprintf("address %s:%d is available; specify %s to use it", host, near, coloured("36", fmt.Sprintf("--listen=%s:%d", host, near)))
	}
	return "specify " + coloured("36", "--port=NUMBER") + " to run on another port"
}

// resolve reads encore.app, which other commands than run need not be able to,
// and finds the namespace.
func (r *runner) resolve() (code int, end bool) {
	what, err := "app: parse encore.app", r.app.broken
	if err == nil {
		what, err = "namespace", checkNamespace(r.namespace)
	}
	if err == nil {
		return 0, false
	}
	r.session.finish()
	fmt.Fprintln(os.Stderr, red("failed to resolve %s: %v", what, err))
	return 1, true
}

func (r *runner) compile() (code int, end bool) {
	if r.steer.DaemonDies {
		return 0, true
	}
	select {
	case <-r.interrupted:
		return 0, true
	case <-r.session.messages: // the daemon is gone
		return 0, true
	case <-time.After(time.Duration(r.steer.SlowStartMS) * time.Millisecond):
	}
	if r.steer.CompileError != "" {
		r.session.finish()
		fmt.Fprintln(os.Stderr, r.steer.CompileError)
		return 1, true
	}
	return 0, false
}

func (r *runner) ready() (code int, end bool) {
	if err := r.app.track(); err != nil {
		return fail("%v", err), true
	}
	if r.session.serve() != nil {
		return 0, true // the daemon is gone
	}
	shown := r.addr
	if strings.HasPrefix(shown, ":") {
		shown = "localhost" + shown
	}
	fmt.Fprintf(os.Stderr, "\n  %s\n\n", polite("1", "Encore development server running!"))
	fmt.Fprintf(os.Stderr, "  Your API is running at:     %s\n", coloured("36", "http://"+shown))
	fmt.Fprintf(os.Stderr, "  Development Dashboard URL:  %s\n\n", coloured("36", "http://127.0.0.1:9400/abc12"))
	return 0, false
}

// follow waits until the app has ended; how it ended does not matter.
func (r *runner) follow() int {
	for {
		select {
		case <-r.interrupted:
			return 0
		case m, ok := <-r.session.messages:
			if !ok {
				return 0
			}
			fmt.Fprint(os.Stderr, m.Stderr)
		}
	}
}
