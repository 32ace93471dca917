package doctor

import "fmt"

// Place is a directory that is written to.
type Place struct {
	Check string
	// Path is empty if there is no such directory for this user.
	Path string
	// Exists is false if it will be created when it is needed; the other facts are
	// then those of the directory above.
	Exists bool
	// Bytes is the size of its files, at least.
	Bytes int64
	// Private says why another user could change what is in it, empty if none can.
	Private string
	// Writable says why the user cannot write to it, empty if that works.
	Writable string
	// Free is how many bytes can be written, if HasFree.
	Free    uint64
	HasFree bool
	// Slow says that the file system did not answer in time.
	Slow bool
}

// leastFree is the space that a run needs for temporary files, and compiledSize what the
// compiled code of a large provider takes.
const (
	leastFree    = 64 << 20
	compiledSize = 1 << 30
)

func (p Place) finding() Finding {
	switch {
	case p.Path == "":
		return warn(p.Check, "no directory is known: HOME is not set", "set HOME")
	case p.Slow:
		return fail(p.Check, p.Path+": its file system does not answer", "check that the file system is mounted and its server runs")
	case p.Private != "":
		return warn(p.Check, p.Private, "nothing in it is used: remove it, or give it to your user with mode 700")
	case p.Writable != "":
		return p.unwritable()
	case p.HasFree && p.Free < leastFree:
		return fail(p.Check, p.text(), "free at least 64 MiB")
	case p.HasFree && p.Free < compiledSize:
		return warn(p.Check, p.text(), "free 1 GiB: a compiled provider or a build may need it")
	}
	return ok(p.Check, p.text())
}

// unwritable judges a directory that cannot be written to. Without a cache or state,
// runs take longer and do more again.
func (p Place) unwritable() Finding {
	message := p.Path + ": " + p.Writable
	switch p.Check {
	case CheckTemp:
		return fail(p.Check, message, "set TMPDIR to a directory that you can write to")
	case CheckProject:
		return warn(p.Check, message, "stagecraft.lock and learnt policies cannot be written")
	}
	return warn(p.Check, message, "nothing is kept for later runs")
}

func (p Place) text() string {
	text := p.Path
	if !p.Exists {
		text += ", not created yet"
	}
	if p.Bytes > 0 {
		text += ", " + size(uint64(p.Bytes))
	}
	if p.HasFree {
		text += ", " + size(p.Free) + " free"
	}
	return text
}

// size is a number of bytes in the largest unit of which there is one.
func size(n uint64) string {
	for _, unit := range []struct {
		name  string
		shift uint
	}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		if n >= 1<<unit.shift {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(uint64(1)<<unit.shift), unit.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
