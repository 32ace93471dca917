package guard

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/wire"
)

// Plan is what a guard runs. It crosses the connection, since the environment
// of a command must not steer its guard.
type Plan struct {
	Program, Dir string
	Argv, Env    []string
	// Is identifies the program's file, which is then among the descriptors. The
	// zero identity is for none.
	Is Identity
	// How says how the program is run.
	How RunBy
	// Opened says that the directory is among the descriptors; Dir is not used.
	Opened bool
	// Group is the process group to join, 0 for one of the program's own.
	Group uint64
	// Terminal says that the program's standard output is a terminal of its own, which
	// becomes its controlling terminal. The guard leads a session then.
	Terminal bool
	// OpenFiles and Processes bound the program; 0 is no bound. Processes counts
	// beside the processes that its user has when it starts.
	OpenFiles, Processes uint64
	// Restrict is nil for a program that is neither confined nor watched.
	Restrict *Restrictions
	Daemons  []Daemon
}

// RunBy is how a program is run.
type RunBy uint64

// The ways to run a program.
const (
	ByPath       RunBy = iota
	ByDescriptor       // which the program does not get
	ByOpenFile         // by a descriptor, which is left to an interpreter
)

// Restrictions are what the process that becomes the program applies to itself.
type Restrictions struct {
	// Hide makes the guard's memory unreadable.
	Hide bool
	// Ruleset says that a Landlock ruleset is among the descriptors.
	Ruleset bool
	// Capabilities drops all capabilities except those in the set Keep.
	Capabilities bool
	Keep         uint64
	// NoNewPrivs sets no_new_privs.
	NoNewPrivs bool
	// Filter is a seccomp filter, an array of struct sock_filter; empty for none.
	// Flags are the flags for its installation. With SECCOMP_FILTER_FLAG_NEW_LISTENER,
	// the listener is sent over the connection.
	Filter string
	Flags  uint64
	// Optional starts the program also where the filter cannot be installed.
	Optional bool
}

// Identity distinguishes a file from other files, and from its earlier contents. The
// size is in bytes, times are in nanoseconds.
type Identity struct{ Device, Inode, Size, Modified, Changed uint64 }

// IdentityOf returns the identity of a file.
func IdentityOf(s *unix.Stat_t) Identity {
	return Identity{
		Device: uint64(s.Dev), Inode: uint64(s.Ino), Size: uint64(s.Size),
		Modified: uint64(s.Mtim.Nano()), Changed: uint64(s.Ctim.Nano()),
	}
}

// MaxPlan is more than the kernel takes of arguments and variables.
const MaxPlan = 64 << 20

var errPlan = errors.New("not a plan for a guard")

// Encode returns the plan with its length before it, four bytes with the lowest first.
func (p Plan) Encode() []byte {
	c := codec{data: make([]byte, 4, 4096)}
	c.plan(&p)
	binary.LittleEndian.PutUint32(c.data, uint32(len(c.data)-4))
	return c.data
}

// DecodePlan reads a plan without its length, and nothing else.
func DecodePlan(data []byte) (Plan, error) {
	var p Plan
	c := codec{in: wire.NewReader(data)}
	c.plan(&p)
	if c.in.Done() != nil || p.How > ByOpenFile || len(p.Argv) == 0 {
		return Plan{}, errPlan
	}
	return p, nil
}

// codec writes or reads the fields of a plan.
type codec struct {
	data []byte       // what is written
	in   *wire.Reader // what is read, nil to write
}

func (c *codec) plan(p *Plan) {
	for _, text := range []*string{&p.Program, &p.Dir} {
		c.text(text)
	}
	c.texts(&p.Argv)
	c.texts(&p.Env)
	for _, n := range []*uint64{
		&p.Is.Device, &p.Is.Inode, &p.Is.Size, &p.Is.Modified, &p.Is.Changed, (*uint64)(&p.How), &p.Group, &p.OpenFiles, &p.Processes,
	} {
		c.number(n)
	}
	c.flag(&p.Opened)
	c.flag(&p.Terminal)
	restricted := p.Restrict != nil
	if c.flag(&restricted); restricted {
		if p.Restrict == nil {
			p.Restrict = new(Restrictions)
		}
		c.restrictions(p.Restrict)
	}
	list(c, &p.Daemons, func(d *Daemon) {
		c.text(&d.Program)
		c.texts(&d.Args)
	})
}

func (c *codec) restrictions(r *Restrictions) {
	for _, flag := range []*bool{&r.Hide, &r.Ruleset, &r.Capabilities, &r.NoNewPrivs, &r.Optional} {
		c.flag(flag)
	}
	c.number(&r.Keep)
	c.number(&r.Flags)
	c.text(&r.Filter)
}

func (c *codec) number(n *uint64) {
	if c.in != nil {
		*n = c.in.Number()
		return
	}
	c.data = binary.AppendUvarint(c.data, *n)
}

func (c *codec) flag(set *bool) {
	n := uint64(0)
	if *set {
		n = 1
	}
	c.number(&n)
	*set = n != 0
}

func (c *codec) text(s *string) {
	if c.in != nil {
		*s = c.in.Text()
		return
	}
	c.data = wire.AppendText(c.data, *s)
}

func (c *codec) texts(texts *[]string) { list(c, texts, c.text) }

func list[T any](c *codec, elements *[]T, each func(*T)) {
	if c.in != nil {
		*elements = make([]T, c.in.Count())
	} else {
		c.data = binary.AppendUvarint(c.data, uint64(len(*elements)))
	}
	for i := range *elements {
		each(&(*elements)[i])
	}
}
