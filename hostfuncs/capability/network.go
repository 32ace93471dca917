package capability

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// NetKind is what would be done with a port.
type NetKind int

// The uses of a port.
const (
	Connect NetKind = iota // the provider learns whether something listens on it
)

// NetUse is a TCP port of this machine's loopback that would be used, from 1 to
// 65535.
type NetUse struct {
	Port int     `json:"port"`
	Use  NetKind `json:"use"`
}

var netKinds = []string{Connect: "connect"}

// MarshalText implements [encoding.TextMarshaler].
func (k NetKind) MarshalText() ([]byte, error) { return useText(netKinds, int(k)) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *NetKind) UnmarshalText(text []byte) error {
	i, err := parseUse(netKinds, text)
	*k = NetKind(i)
	return err
}

// nets are the ports of this machine's loopback.
var nets = family{
	operations: []string{"probe"},
	keys: func() []Key {
		return []Key{
			{
				name: "net.connect", rule: (*reader).ports, index: func() index { return new(ports) },
				covers: portsCover, search: portsText, miss: missPort,
				confine: func(c *Confinement, rules []*Rule) {
					c.Net.Connect = append(c.Net.Connect, portsOf(rules, parsePorts)...)
				},
			},
			{
				// No operation listens: these rules are for commands.
				name: "net.listen", rule: (*reader).listenPorts,
				parse:  func(r *reader, k *Key, n *yamldoc.Node, _ *section) { r.list(n, k, List{Key: k.name}, anyRule{}) },
				covers: portsCover, search: portsText,
				confine: func(c *Confinement, rules []*Rule) {
					c.Net.Listen = append(c.Net.Listen, portsOf(rules, parseListen)...)
				},
			},
		}
	},
	asked: func(c *Claim) bool { return len(c.Net) > 0 },
	fault: func(c *Claim) string {
		for _, use := range c.Net {
			if !isPort(use.Port) || use.Use != Connect {
				return fmt.Sprintf("%d is not a port, or its use is unknown", use.Port)
			}
		}
		return ""
	},
	words: func(c *Claim, s *sentence) {
		for _, use := range c.Net {
			s.uses = append(s.uses, "port "+strconv.Itoa(use.Port))
		}
	},
	decide: func(e *evaluation) {
		for _, use := range e.claim.Net {
			text := strconv.Itoa(use.Port)
			allow, deny := e.list("net.connect", text)
			e.settle(allow, deny, func() Grant { return Grant{Key: "net.connect", Rule: text} })
		}
	},
	parts: func(c *Claim) []Part {
		var all []Part
		for _, use := range c.Net {
			p := Part{Keys: []string{"net.connect"}, Claim: c.alone(), text: strconv.Itoa(use.Port)}
			p.Claim.Net = []NetUse{use}
			all = append(all, p)
		}
		return all
	},
	requests: []request{{key: "connect", operation: "probe", read: func(r *reader, _, value *yamldoc.Node, c *Claim) {
		port, err := strconv.Atoi(value.Text())
		if err != nil || value.Kind() != yamldoc.KindInt {
			r.problems.Wrong(value, fmt.Sprintf("is %s, expected a port", value.Kind()), "write it as a number: 4000")
		}
		c.Net = []NetUse{{Port: port, Use: Connect}}
	}}},
}

// AllowConnect allows a port of this machine's loopback to be connected to. New
// refuses one that is not from 1 to 65535.
func AllowConnect(port int, pos yamldoc.Pos) Rule {
	return allowIn("net.connect", strconv.Itoa(port), pos)
}

// anyRule takes every rule: it was checked when it was read.
type anyRule struct{}

func (anyRule) add(*Rule) error { return nil }

func portsOf(rules []*Rule, parse func(string) (Ports, error)) []Ports {
	var all []Ports
	for _, r := range rules {
		if of, err := parse(r.Text); err == nil {
			all = append(all, of)
		}
	}
	return all
}

// portsText is a port as it is searched. A range is searched by nothing, since
// what covers it may begin anywhere.
func portsText(_ bool, r *Rule) string {
	of, err := parsePorts(r.Text)
	if err != nil || of.Low != of.High {
		return "*"
	}
	return strconv.Itoa(of.Low)
}

// nearPorts is how many ports apart are near: those of one project often follow
// each other.
const nearPorts = 10

func missPort(_ *Key, p Part, rule *Rule) (int, string) {
	port, _ := strconv.Atoi(p.text) // of a claim without a fault
	if of, err := parsePorts(rule.Text); err == nil && of.distance(port) <= nearPorts {
		return 30, "it is another port"
	}
	return 0, ""
}

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

func (p *ports) find(port int) *Rule {
	found := p.single[port]
	for _, r := range p.ranges {
		if r.covers(Ports{port, port}) {
			found = first(found, r.rule)
		}
	}
	return found
}

func (p *ports) allows(text string) *Rule {
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil
	}
	return p.find(port)
}

func (p *ports) denies(text string) *Rule { return p.allows(text) }

func (p Ports) covers(other Ports) bool { return p.Low <= other.Low && other.High <= p.High }

// distance is how far a port is from those of the range; 0 is in it.
func (p Ports) distance(port int) int { return max(p.Low-port, port-p.High, 0) }

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
	first, last, isRange := strings.Cut(text, "-")
	low, ok := parsePort(first)
	high := low
	if ok && isRange {
		high, ok = parsePort(last)
	}
	if !ok {
		return Ports{}, errors.New("is not a port or a range of ports")
	}
	switch {
	case !isPort(low) || !isPort(high):
		return Ports{}, fmt.Errorf("is out of range: the last port is %d", maxPort)
	case low > high:
		return Ports{}, errors.New("ends before it begins")
	}
	return Ports{low, high}, nil
}

// parsePort reads up to five digits that do not begin with 0.
func parsePort(text string) (int, bool) {
	if len(text) == 0 || len(text) > 5 || text[0] < '1' || text[0] > '9' {
		return 0, false
	}
	port, err := strconv.Atoi(text)
	return port, err == nil
}

// portsCover reports whether one rule for ports matches all that another does.
func portsCover(_ bool, a, b *Rule) bool {
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
		r.problems.Wrong(n, fmt.Sprintf("is %s, expected a port", n.Kind()), portsHint)
		return nil
	}
	_, err := parse(n.Text())
	switch _, notNumber := strconv.Atoi(n.Text()); {
	case !number && notNumber == nil:
		r.problems.Wrong(n, "is a string, expected a number", portsHint)
	case err != nil:
		r.problems.Wrong(n, fmt.Sprintf("rule %q %v", n.Text(), err), portsHint)
	default:
		return &Rule{Text: n.Text(), Pos: n.Pos()}
	}
	return nil
}
