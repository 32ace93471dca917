package clitest

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdAlternate replaces NAME with FILE and OTHER in turn, as fast as possible, until
// the script ends. A link is created anew, so that its target is read from NAME.
func cmdAlternate(ts *testscript.TestScript, args []string) {
	name, files := ts.MkAbs(args[0]), []string{ts.MkAbs(args[1]), ts.MkAbs(args[2])}
	untilEnd(ts, func(i int) error { return exchange(name, files[i%2]) })
}

// untilEnd calls do, which must succeed the first time, until the script ends.
func untilEnd(ts *testscript.TestScript, do func(i int) error) {
	ts.Check(do(0))
	ended := make(chan struct{})
	var doer sync.WaitGroup
	doer.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-ended:
				return
			default:
			}
			// It may fail once the script's directory is removed.
			_ = do(i)
		}
	})
	ts.Defer(func() {
		close(ended)
		doer.Wait()
	})
}

// exchange replaces a name with a file, or a copy of a link, atomically.
func exchange(name, file string) error {
	next := filepath.Join(filepath.Dir(name), ".next-"+filepath.Base(name))
	target, err := os.Readlink(file)
	if err == nil {
		err = os.Symlink(target, next)
	} else {
		err = os.Link(file, next)
	}
	if err != nil {
		return err
	}
	// Rename does nothing if both are names of one file.
	if err := os.Rename(next, name); err != nil {
		return err
	}
	if err := os.Remove(next); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}
