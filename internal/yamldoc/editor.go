package yamldoc

import (
	"bytes"
	"slices"
	"strings"
)

// editor finds the place for an addition: it tries the candidates and takes the first
// that gives the wanted document.
type editor struct {
	data     []byte
	at       *Node    // the last existing value of the path
	rest     []string // the missing keys
	addition Addition
	want     *Node
	ending   string
	tries    int
}

// maxPlaces is how often a document is read again.
const maxPlaces = 200

// edit returns the new text; column is that of the value's key.
func (e *editor) edit(column int) ([]byte, bool) {
	begin := e.offset(e.at.Pos())
	if e.at.Kind() == KindNull {
		return e.below(e.at.Pos().Line, column+1)
	}
	switch string(e.data[begin:min(begin+1, len(e.data))]) {
	case "[", "{":
		if out, ok := e.unfolded(begin, column); ok {
			return out, true
		}
		return e.inFlow(begin)
	}
	indent := e.at.Pos().Column - 1
	// A mapping may begin with an anchor, or with merged keys.
	if entries := e.at.Entries(); len(entries) > 0 && entries[0].KeyPos.Line >= e.at.Pos().Line {
		indent = entries[0].KeyPos.Column - 1
	}
	return e.below(e.lastLine(), indent)
}

// try accepts a text if it gives the wanted document.
func (e *editor) try(text []byte) ([]byte, bool) {
	if e.tries++; e.tries > maxPlaces {
		return nil, false
	}
	got, err := Parse("", text)
	return text, err == nil && same(got, e.want)
}

// offset returns the offset of a position. Columns count characters.
func (e *editor) offset(at Pos) int {
	offset := 0
	for range at.Line - 1 {
		offset += bytes.IndexByte(e.data[offset:], '\n') + 1
	}
	line := e.data[offset:]
	line = bytes.TrimPrefix(line, []byte("\ufeff"))
	offset += len(e.data[offset:]) - len(line)
	for i := range string(line) {
		if at.Column--; at.Column == 0 {
			return offset + i
		}
	}
	return len(e.data)
}

// lastLine returns the last line on which a part of the value begins.
func (e *editor) lastLine() int {
	last := 0
	var look func(*Node)
	look = func(n *Node) {
		last = max(last, n.Pos().Line)
		for _, entry := range n.Entries() {
			last = max(last, entry.KeyPos.Line)
			look(entry.Value)
		}
		for _, item := range n.Items() {
			look(item)
		}
	}
	look(e.at)
	return last
}

// below adds lines after a line, or after a later one if a value continues.
func (e *editor) below(line, indent int) ([]byte, bool) {
	added := e.block(indent)
	end := 0
	for number := 1; end < len(e.data); number++ {
		if next := bytes.IndexByte(e.data[end:], '\n'); next >= 0 {
			end += next + 1
		} else {
			end = len(e.data)
		}
		if number < line {
			continue
		}
		before := string(e.data[:end])
		if !strings.HasSuffix(before, "\n") {
			before += e.ending
		}
		if out, ok := e.try([]byte(before + added + string(e.data[end:]))); ok {
			return out, true
		}
	}
	return nil, false
}

// unfolded replaces an empty list or mapping after its key by lines: one rule per line
// makes small differences in version control.
func (e *editor) unfolded(begin, column int) ([]byte, bool) {
	empty := string(e.data[begin:min(begin+2, len(e.data))])
	if empty != "{}" && empty != "[]" {
		return nil, false
	}
	line := bytes.IndexByte(append(slices.Clone(e.data[begin:]), '\n'), '\n')
	behind := strings.TrimRight(string(e.data[begin+2:begin+line]), "\r")
	head := strings.TrimRight(string(e.data[:begin]), " ") + behind + e.ending
	tail := string(e.data[min(begin+line+1, len(e.data)):])
	return e.try([]byte(head + e.block(column+1) + tail))
}

// inFlow adds before the end of a list or mapping in brackets.
func (e *editor) inFlow(begin int) ([]byte, bool) {
	closing := map[byte]byte{'[': ']', '{': '}'}[e.data[begin]]
	for i := begin + 1; i < len(e.data); i++ {
		if e.data[i] != closing {
			continue
		}
		// Directly after the last item, or on a line of its own after a comment.
		for _, blanks := range [...]string{" \t\r\n", " "} {
			head := strings.TrimRight(string(e.data[:i]), blanks)
			for _, comma := range [...]string{", ", ""} {
				if out, ok := e.try([]byte(head + comma + e.flow() + string(e.data[len(head):]))); ok {
					return out, true
				}
			}
		}
	}
	return nil, false
}

// block returns the addition as lines.
func (e *editor) block(indent int) string {
	var b strings.Builder
	line := func(text string, i Item) {
		b.WriteString(strings.Repeat(" ", indent) + text)
		if i.Remark != "" {
			b.WriteString(" # " + i.Remark)
		}
		b.WriteString(e.ending)
	}
	for i, key := range e.rest {
		if i == len(e.rest)-1 && e.addition.Items == nil {
			line(Quote(key)+": "+e.addition.Value.Text, e.addition.Value)
			return b.String()
		}
		if i == len(e.rest)-1 && len(e.addition.Items) == 0 {
			line(Quote(key)+": []", Item{})
			return b.String()
		}
		line(Quote(key)+":", Item{})
		indent += 2
	}
	for _, item := range e.addition.Items {
		line("- "+item.Text, item)
	}
	return b.String()
}

// flow returns the addition within brackets.
func (e *editor) flow() string {
	text := e.addition.Value.Text
	if e.addition.Items != nil {
		var items []string
		for _, item := range e.addition.Items {
			items = append(items, item.Text)
		}
		if text = strings.Join(items, ", "); len(e.rest) > 0 {
			text = "[" + text + "]"
		}
	}
	for i, key := range slices.Backward(e.rest) {
		if text = Quote(key) + ": " + text; i > 0 {
			text = "{" + text + "}"
		}
	}
	return text
}
