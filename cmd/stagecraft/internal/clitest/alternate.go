package clitest

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdAlternate has a name stand for one file and the other in turn, as fast as
// can be, until the script ends: alternate NAME FILE OTHER
//
// A link is made anew, so that where it leads is read from NAME.
func cmdAlternate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: alternate NAME FILE OTHER")
	}
	name, files := ts.MkAbs(args[0]), []string{ts.MkAbs(args[1]), ts.MkAbs(args[2])}
	untilEnd(ts, func(i int) error { return exchange(name, files[i%2]) })
}

// untilEnd does something that has to work once, and then again and again until
// the script ends.
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
			// The script's directory may be gone already; what counts is what the
			// script saw until then.
			_ = do(i)
		}
	})
	ts.Defer(func() {
		close(ended)
		doer.Wait()
	})
}

// exchange puts a file, or a copy of a link, in the place of a name at once.
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
	// Two names of one file are left as they are.
	if err := os.Rename(next, name); err != nil {
		return err
	}
	if err := os.Remove(next); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}
