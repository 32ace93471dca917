package screen

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

const (
	// maxCells is how long a row may become, in columns, which is more than terminals have.
	// Each change of a row takes time for all its cells.
	maxCells = 1 << 10
	// maxMarks is how many bytes of combining characters a cell may have.
	maxMarks = 32
)

// cell is one column of a row.
type cell struct {
	char  rune   // 0 for the second column of a wide character
	marks string // combining characters
	style style
}

var blank = cell{char: ' '}

// row is one line of a terminal, on which a program can go back and overwrite.
type row struct {
	cells []cell
	at    int // the column of the next character
}

// columns is how many columns a character takes on a terminal.
func columns(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// textColumns is how many columns a text takes.
func textColumns(text string) (n int) {
	for _, r := range text {
		n += columns(r)
	}
	return n
}

// write writes text at the cursor.
func (r *row) write(p []byte, s style) {
	for len(p) > 0 {
		char, size := utf8.DecodeRune(p)
		p = p[size:]
		if char == '\t' {
			r.move(8 - r.at%8)
			continue
		}
		r.put(char, s)
	}
}

func (r *row) put(char rune, s style) {
	n := columns(char)
	if n == 0 {
		r.combine(char)
		return
	}
	r.reach(r.at + n)
	for i := range n {
		r.clear(r.at + i)
	}
	r.cells[r.at] = cell{char: char, style: s}
	if n == 2 {
		r.cells[r.at+1] = cell{style: s}
	}
	r.at += n
}

// combine adds a combining character to the character before the cursor.
func (r *row) combine(char rune) {
	i := r.at - 1
	for i >= 0 && i < len(r.cells) && r.cells[i].char == 0 {
		i--
	}
	if i >= 0 && i < len(r.cells) && len(r.cells[i].marks) < maxMarks {
		r.cells[i].marks += string(char)
	}
}

// reach makes the row at least so long.
func (r *row) reach(n int) {
	for len(r.cells) < n {
		r.cells = append(r.cells, blank)
	}
}

// clear makes a column blank, and the other column of a wide character with it.
func (r *row) clear(i int) {
	if i+1 < len(r.cells) && r.cells[i+1].char == 0 {
		r.cells[i+1] = blank
	}
	if r.cells[i].char == 0 && i > 0 {
		r.cells[i-1] = blank
	}
	r.cells[i] = blank
}

// erase makes the columns from one to another blank.
func (r *row) erase(from, to int) {
	if from <= 0 && to >= len(r.cells) {
		r.cells = r.cells[:0]
		return
	}
	for i := max(from, 0); i < min(to, len(r.cells)); i++ {
		r.clear(i)
	}
}

// move moves the cursor.
func (r *row) move(by int) { r.moveTo(r.at + by) }

func (r *row) moveTo(column int) { r.at = min(max(column, 0), maxCells-2) }

// remove removes columns at the cursor: the rest moves to the left.
func (r *row) remove(n int) {
	if r.at >= len(r.cells) {
		return
	}
	end := min(r.at+n, len(r.cells))
	for i := r.at; i < end; i++ {
		r.clear(i) // for halves of wide characters
	}
	r.cells = append(r.cells[:r.at], r.cells[end:]...)
}

// insert inserts blank columns at the cursor.
func (r *row) insert(n int) {
	if r.at >= len(r.cells) {
		return
	}
	n = max(min(n, maxCells-len(r.cells)), 0)
	tail := append([]cell(nil), r.cells[r.at:]...)
	r.reach(len(r.cells) + n)
	for i := range n {
		r.cells[r.at+i] = blank
	}
	copy(r.cells[r.at+n:], tail)
}

// full reports whether the row has no space for another character.
func (r *row) full() bool { return r.at >= maxCells-2 }

// render appends the row, at most so many columns of it: as it looks, and as text. Blank
// columns at the end are left out.
func (r *row) render(shown, plain []byte, limit int) (withStyle, text []byte) {
	end := min(len(r.cells), limit)
	for end > 0 && r.cells[end-1] == blank {
		end--
	}
	if end == limit && end < len(r.cells) && r.cells[end].char == 0 {
		end-- // only half of a wide character has space
	}
	now := style{}
	for i := range end {
		c := &r.cells[i]
		if c.char == 0 {
			continue
		}
		shown = appendChange(shown, now, c.style)
		now = c.style
		shown = append(utf8.AppendRune(shown, c.char), c.marks...)
		plain = append(utf8.AppendRune(plain, c.char), c.marks...)
	}
	return appendChange(shown, now, style{}), plain
}
