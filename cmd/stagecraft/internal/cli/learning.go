package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/runtime/learn"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// learning makes a policy of what was done, and tells the user of it.
type learning struct {
	cmd     policyLearnCmd
	app     *app
	did     session.Learnt
	options learn.Options
}

// write puts the policy in its place.
func (l learning) write(ctx context.Context, out outFile) error {
	if out.path == "" {
		learnt, err := learn.Policy(l.did.Claims, l.did.Used, l.options)
		l.warn(learnt)
		if err != nil {
			return err
		}
		return l.app.printer.result(learnt.Policy)
	}
	var learnt *learn.Learnt
	var now []byte
	err := session.ChangePolicy(ctx, l.slow, out.path, func(before []byte) ([]byte, error) {
		if now = before; before == nil && out.before != nil {
			return nil, errors.New("it was removed meanwhile")
		}
		l.options.File, l.options.Into = out.path, before
		var err error
		if learnt, err = learn.Policy(l.did.Claims, l.did.Used, l.options); err != nil {
			return nil, err
		}
		return []byte(learnt.Policy), nil
	})
	if learnt != nil {
		l.warn(learnt)
	}
	if err != nil {
		err = fmt.Errorf("--out: %s: %w", out.path, err)
		if _, ok := errors.AsType[*learn.WeakerError](err); !ok {
			l.keep(out, learnt)
		}
		return err
	}
	if !bytes.Equal(now, out.before) {
		l.app.printer.warning(fmt.Sprintf("%s was changed while this run was learnt from, by something else: what stands there now stays, read it\n%s",
			out.path, strings.Join(changed(out.before, now), "\n")))
	}
	l.tell(out, now == nil, learnt)
	return nil
}

// slow tells of a wait for another process.
func (l learning) slow(err error) { l.app.printer.warning(err.Error()) }

// keep prints what could not be written, so that the run was not for nothing. Of a file
// that is no policy any more it is what would have been added before.
func (l learning) keep(out outFile, learnt *learn.Learnt) {
	if learnt == nil || len(learnt.Added) == 0 {
		l.options.File, l.options.Into = out.path, out.before
		// What is wrong was told already.
		learnt, _ = learn.Policy(l.did.Claims, l.did.Used, l.options)
	}
	if len(learnt.Added) > 0 {
		l.say("not written to "+out.path+":", added(learnt.Added))
	}
}

// finish writes the policy whatever came of the run, whose error stays the one that
// counts. The end of the run must not be the end of ctx.
func (l learning) finish(ctx context.Context, out outFile, run error) error {
	err := l.write(ctx, out)
	if _, ok := errors.AsType[*learn.WeakerError](err); ok {
		hint := "what confined commands use is not watched: learn with --allow"
		if l.cmd.Allow {
			hint = "what commands use could not be watched: add to that file instead, with --out"
		}
		err = &hintedError{err, hint}
	}
	if run != nil && err != nil {
		l.app.printer.failure(err)
		return run
	}
	return errors.Join(run, err)
}

// hintedError is an error with what to do about it.
type hintedError struct {
	error
	hint string
}

// Hint says what to do about it.
func (e *hintedError) Hint() string { return e.hint }

// Unwrap gives the error itself.
func (e *hintedError) Unwrap() error { return e.error }
