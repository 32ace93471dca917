package learn

import (
	"io/fs"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// Options say for whom a policy is learnt, and what it is added to. The zero value is
// for a new policy of a project of which nothing is known.
type Options struct {
	// Project are the project's files, nil where they are not at hand, as with a log
	// of another machine.
	Project fs.FS
	// Directories has a directory learnt for a file that commands read, where nothing
	// sensitive is or can come to be in it: a rule for one file holds for the file at
	// start, and a command that goes on for hours sees files replaced.
	Directories bool
	// Sensitive are patterns of what is learnt although it is sensitive.
	Sensitive []string
	// Own are files of the project that are this program's, besides those that have
	// their names from it.
	Own []string
	// Terminals are the user's own, which programs open by themselves.
	Terminals []string
	// File is the name of the policy that is added to, and Into its text; nil for a
	// new one.
	File string
	Into []byte
	// InForce is the project's policy, nil for none. No new policy confines commands
	// less than it does.
	InForce *capability.Policy
}
