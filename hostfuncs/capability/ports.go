package capability

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// ports finds rules for ports.
type ports struct {
	single map[int]*Rule
	ranges []portRule
}

type portRule struct {
	Ports
	rule *Rule
}

// Ports are those from Low to High, both included.
type Ports struct{ Low, High int }

// All reports whether these are all ports.
func (p Ports) All() bool { return p.Low == 1 && p.High == maxPort }

// maxPort is the last port of TCP.
const maxPort = 65535

func isPort(n int) bool { return n >= 1 && n <= maxPort }

func (p *ports) add(r *Rule) error {
	of, err := parsePorts(r.Text)
	if err != nil {
		return err
	}
	if of.Low != of.High {
		p.ranges = append(p.ranges, portRule{of, r})
		return nil
	}
	if p.single == nil {
		p.single = make(map[int]*Rule)
	}
	p.single[of.Low] = first(p.single[of.Low], r)
	return nil
}

// listened are rules for ports to listen on, which no operation asks for.
type listened struct{}

func (listened) add(*Rule) error { return nil }

// find is the first rule that matches.
func (p *ports) find(port int) *Rule {
	found := p.single[port]
	for _, r := range p.ranges {
		if r.covers(Ports{port, port}) {
			found = first(found, r.rule)
		}
	}
	return found
}

func (p Ports) covers(other Ports) bool { return p.Low <= other.Low && other.High <= p.High }

// distance is how far a port is from those of the range; 0 is in it.
func (p Ports) distance(port int) int { return max(p.Low-port, port-p.High, 0) }

var portsText = regexp.MustCompile(`^([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?$`)

// parseListen reads what parsePorts does, and 0 for a port that the system picks.
func parseListen(text string) (Ports, error) {
	if text == "0" {
		return Ports{}, nil
	}
	return parsePorts(text)
}

// parsePorts reads a port, two with - between them, or *.
func parsePorts(text string) (Ports, error) {
	if text == "*" {
		return Ports{1, maxPort}, nil
	}
	m := portsText.FindStringSubmatch(text)
	if m == nil {
		return Ports{}, errors.New("is no port and no range of ports")
	}
	// The digits are few enough for any int.
	low, _ := strconv.Atoi(m[1])
	high := low
	if m[2] != "" {
		high, _ = strconv.Atoi(m[2])
	}
	switch {
	case !isPort(low) || !isPort(high):
		return Ports{}, fmt.Errorf("is out of range: the last port is %d", maxPort)
	case low > high:
		return Ports{}, errors.New("ends before it begins")
	}
	return Ports{low, high}, nil
}

// portsCover is whether one rule for ports matches all that another does.
func portsCover(a, b *Rule) bool {
	of, err := parsePorts(a.Text)
	other, otherErr := parsePorts(b.Text)
	return err == nil && otherErr == nil && of.covers(other)
}

const portsHint = `write a port as 4000, a range as "4000-4010", all ports as "*"`

// ports reads a rule for ports: a number, or a string for more than one.
func (r *reader) ports(n *yamldoc.Node) *Rule { return r.portsBy(n, parsePorts) }

// listenPorts reads one for ports to listen on.
func (r *reader) listenPorts(n *yamldoc.Node) *Rule { return r.portsBy(n, parseListen) }

func (r *reader) portsBy(n *yamldoc.Node, parse func(string) (Ports, error)) *Rule {
	number := n.Kind() == yamldoc.KindInt
	if !number && n.Kind() != yamldoc.KindString {
		r.wrong(n, fmt.Sprintf("is %s, expected a port", n.Kind()), portsHint)
		return nil
	}
	_, err := parse(n.Text())
	switch _, notNumber := strconv.Atoi(n.Text()); {
	case !number && notNumber == nil:
		r.wrong(n, "is a string, expected a number", portsHint)
	case err != nil:
		r.wrong(n, fmt.Sprintf("rule %q %v", n.Text(), err), portsHint)
	default:
		return &Rule{Text: n.Text(), Pos: n.Pos()}
	}
	return nil
}
