package process

import (
	"runtime"
	"runtime/debug"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// startWatched starts the program from the calling thread, and tells what its tree
// uses. Each use is told before the call that it is of, so that all of them are
// told before the tree is said to be empty. Where that can't be done, the program
// runs all the same.
func (g *guard) startWatched(p guardPlan) error {
	// The thread that starts the program stands still until the program's first
	// call was looked at: neither may the looking wait for it.
	runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0)))
	percent := debug.SetGCPercent(-1)
	defer debug.SetGCPercent(percent)
	watch, err := confine.NewWatch()
	if err != nil {
		g.sendText(guardMissed, []byte(err.Error()))
		return g.start(p)
	}
	go watch.Serve(g.sayUse, g.sayMore)
	return g.start(p)
}

func (g *guard) sayUse(u confine.Use) {
	data, _ := u.AppendBinary(nil) // it has no errors
	g.sendText(guardUsed, data)
}

func (g *guard) sayMore() {
	g.say(guardMore)
}
