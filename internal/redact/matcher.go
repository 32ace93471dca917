package redact

import "slices"

// matcher finds all forms of some values in one pass over a text, as described by Aho
// and Corasick, "Efficient string matching: an aid to bibliographic search", 1975.
// Children are lists: a table of all bytes at each node would be too large for values
// of many kilobytes.
type matcher struct {
	nodes []node     // the first is the root, where nothing has been read
	first [256]int32 // the root's children by byte, 0 for none
}

// node represents the text on the way from the root, which is the start of some
// forms. Nodes are referred to by index; 0 as child or sibling means none.
type node struct {
	child, sibling int32
	suffix         int32 // node of the longest end of the text that starts a form
	match          int32 // length of the longest form the text ends with, or 0
	open           int32 // length of the longest end that a longer form starts with
	char           byte
}

var noValues = newMatcher(nil)

func newMatcher(values []string) *matcher {
	m := &matcher{nodes: make([]node, 1)}
	for _, value := range values {
		for _, form := range forms(value) {
			m.add(form)
		}
	}
	m.link()
	return m
}

func (m *matcher) add(form string) {
	at := int32(0)
	for i := range len(form) {
		next := m.childOf(at, form[i])
		if next == 0 {
			next = int32(len(m.nodes))
			m.nodes = append(m.nodes, node{char: form[i], sibling: m.nodes[at].child})
			m.nodes[at].child = next
		}
		at = next
	}
	m.nodes[at].match = int32(len(form))
}

// link sets the fields that depend on a node's suffix, which is shorter and therefore
// done before.
func (m *matcher) link() {
	queue := make([]int32, 1, len(m.nodes))
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		parent := m.nodes[at]
		for child := parent.child; child != 0; child = m.nodes[child].sibling {
			n := &m.nodes[child]
			if at == 0 {
				m.first[n.char] = child
			} else {
				n.suffix = m.step(parent.suffix, n.char)
			}
			n.match = max(n.match, m.nodes[n.suffix].match)
			n.open = m.nodes[n.suffix].open
			if n.child != 0 {
				n.open = parent.open + 1 // all of a parent is open
			}
			queue = append(queue, child)
		}
	}
}

// step returns the node to go to from a node with the next byte of a text.
func (m *matcher) step(at int32, char byte) int32 {
	for at != 0 {
		if next := m.childOf(at, char); next != 0 {
			return next
		}
		at = m.nodes[at].suffix
	}
	return m.first[char]
}

func (m *matcher) childOf(at int32, char byte) int32 {
	at = m.nodes[at].child
	for at != 0 && m.nodes[at].char != char {
		at = m.nodes[at].sibling
	}
	return at
}

// scanner finds what to mask in a text that is read in pieces. Offsets are in bytes
// from the start of the text.
type scanner struct {
	matcher *matcher
	node    int32
	end     int    // the text before it was read
	done    int    // the text before it was appended to an output
	starred bool   // the output ends with a mask
	spans   []span // what to mask from done on, in order and disjoint
}

type span struct{ start, end int }

// read reads the next bytes of the text.
func (s *scanner) read(text []byte) {
	m, at := s.matcher, s.node
	for i := 0; i < len(text); i++ {
		if at == 0 {
			for i < len(text) && m.first[text[i]] == 0 {
				i++
			}
			if i == len(text) {
				break
			}
		}
		at = m.step(at, text[i])
		if n := int(m.nodes[at].match); n > 0 {
			end := s.end + i + 1
			s.cover(span{end - n, end})
		}
	}
	s.node = at
	s.end += len(text)
}

// cover adds a span. It ends after all others, except after a restart, which keeps
// the first.
func (s *scanner) cover(added span) {
	last := len(s.spans) - 1
	for ; last >= 0 && s.spans[last].end >= added.start; last-- {
		added.start = min(added.start, s.spans[last].start)
		added.end = max(added.end, s.spans[last].end)
	}
	s.spans = append(s.spans[:last+1], added)
}

// decided returns the offset before which no byte can be part of a further match.
func (s *scanner) decided() int {
	return s.end - int(s.matcher.nodes[s.node].open)
}

// restart reads the text from done on again, with a matcher of more values. A match
// that starts before done is not found again and is kept.
func (s *scanner) restart(m *matcher, text []byte) {
	s.matcher, s.node, s.end = m, 0, s.done
	s.spans = slices.DeleteFunc(s.spans, func(sp span) bool { return sp.start >= s.done })
	s.read(text)
}

// appendMasked appends the text from done on to an output. A mask that the previous
// call began is continued.
func (s *scanner) appendMasked(out, text []byte) []byte {
	for len(text) > 0 {
		n, masked := s.run(len(text))
		if !masked {
			out = append(out, text[:n]...)
		} else if !s.starred {
			out = append(out, stars...)
		}
		s.starred = masked
		s.done += n
		text = text[n:]
	}
	return out
}

// run returns how many of the next limit bytes are all masked or all not masked, and
// which.
func (s *scanner) run(limit int) (n int, masked bool) {
	for len(s.spans) > 0 && s.spans[0].end <= s.done {
		s.spans = s.spans[1:]
	}
	if len(s.spans) == 0 {
		return limit, false
	}
	if first := s.spans[0]; first.start > s.done {
		return min(limit, first.start-s.done), false
	} else {
		return min(limit, first.end-s.done), true
	}
}
