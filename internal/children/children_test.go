package children_test

import (
	"errors"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/children"
)

func TestKnown(t *testing.T) {
	failure := errors.New("no")
	if err := children.Start(func() (int, error) { return 7, failure }); err != failure || children.Known(7) {
		t.Errorf("%v: a process that was not started is known", err)
	}
	asked := make(chan bool)
	err := children.Start(func() (int, error) {
		go func() { asked <- children.Known(7) }()
		return 7, nil
	})
	if err != nil || !<-asked {
		t.Errorf("%v: a process was unknown after its start", err)
	}
	children.Ended(7)
	if children.Known(7) {
		t.Error("a process that has ended is known")
	}
}
