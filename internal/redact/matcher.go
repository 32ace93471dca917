package redact

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
