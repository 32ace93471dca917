package process

// Leaving is a program that may stay when the tree that it is in has ended: a
// daemon that other runs of a command share. It is told by its file and its
// arguments, and must have a process group of its own; what descends from it
// stays with it. Linux alone can tell; elsewhere nothing of a tree stays by
// permission.
type Leaving struct {
	// Program is the file that has to run, absolute.
	Program string
	// Args are the arguments, Argv[0] left out, all of them.
	Args []string
}

// Stayed is a process that a tree left running, as one of its [Leaving].
type Stayed struct {
	PID  int
	Argv []string
}
