package capability

import (
	"path"
	"strings"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// UseKind is how a command used something once it ran.
type UseKind byte

// The kinds of uses.
const (
	UseRead    UseKind = 'r' // a file was opened to be read, or run
	UseList    UseKind = 'l' // a directory was opened
	UseWrite   UseKind = 'w' // a file that was there was opened to be written
	UseMake    UseKind = 'm' // something was made, removed or renamed in a directory
	UseMkdir   UseKind = 'd' // this directory was made
	UseSocket  UseKind = 's' // a Unix socket was connected to
	UseConnect UseKind = 'c' // a TCP port was connected to
	UseListen  UseKind = 'b' // a TCP port was taken to listen on, 0 for one that the system picks
	UseUDP     UseKind = 'u' // a port was sent to or received on by UDP
)

// Use is something that a command used once it ran, and that it would need to be
// allowed to use if it was confined.
type Use struct {
	Kind UseKind
	// Path is of files, directories and sockets: relative to the project, with slashes,
	// for what is in it, and absolute for what is outside. Links are followed.
	Path string
	// Port is of the kinds that have one.
	Port int
	// By are the names by which a policy can allow what is outside of the project:
	// of toolchains, and of sockets.
	By []string
}

// Used is what the commands of a provider used.
type Used struct {
	Uses []Use
	// Cut is that there was more than is kept. A program that uses so much is confined
	// to the rest all the same: else any could get out by using enough.
	Cut bool
	// Missed says why it isn't known what some of them used.
	Missed []string
}

// Grant is the line that allows a directory or file of the project to commands.
// Where its name can't be written in a rule that the system can be told, it is the
// nearest directory above that can.
func (s Subtree) Grant(key string) Grant {
	s = s.Nameable()
	text := s.Path
	if s.Below {
		text = path.Join(text, deep)
	}
	return Grant{Key: key, Rule: yamldoc.Quote(text)}
}

// ListGrant is the line that lets commands list a directory of the project and those
// below it, or the nearest directory above that can be written in a rule.
func (s Subtree) ListGrant() Grant {
	return Grant{Key: "files.list", Rule: yamldoc.Quote(s.Nameable().Path)}
}

// Nameable is a file or directory for which there can be a rule, or else the nearest
// directory above that there can be one for, with all that is in it.
func (s Subtree) Nameable() Subtree {
	for strings.Contains(s.Path, "*") || !utf8.ValidString(s.Path) {
		s = Subtree{Path: path.Dir(s.Path), Below: true}
	}
	return s
}
