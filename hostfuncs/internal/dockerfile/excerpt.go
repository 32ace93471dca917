package dockerfile

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

const (
	excerptAround = 2   // lines before and after an instruction
	excerptLines  = 20  // of the instruction itself
	excerptWidth  = 200 // characters of a line
)

// stepMark matches the prefix that builders add to an instruction: "[2/3] ",
// "Step 2/3 : " or, in Podman, "STEP 2/3: ".
var stepMark = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:\[[^]]*\] |(?i:step) \d+/\d+ ?: )`) })

// StepLine returns the line of a step's instruction by the step's name, 0 if none or
// several match.
func StepLine(text []byte, step string) int {
	step = strings.Join(strings.Fields(stepMark().ReplaceAllString(step, "")), " ")
	found := 0
	for _, node := range instructionsOf(text) {
		if strings.EqualFold(strings.Join(strings.Fields(node.Original), " "), step) {
			if found != 0 {
				return 0
			}
			found = node.StartLine
		}
	}
	return found
}

// Excerpt shows the instruction at a line, marked by ">", and the lines around it with
// their numbers. It is empty if the line does not exist.
func Excerpt(text []byte, line int) string {
	lines := strings.Split(strings.TrimRight(string(text), "\r\n"), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	first, last := line, line
	for _, node := range instructionsOf(text) {
		if node.StartLine <= line && line <= node.EndLine {
			first, last = node.StartLine, node.EndLine
		}
	}
	var b strings.Builder
	width := len(fmt.Sprint(min(last+excerptAround, len(lines))))
	for n := max(1, first-excerptAround); n <= min(last+excerptAround, len(lines)); n++ {
		if n == first+excerptLines && n < last {
			fmt.Fprintf(&b, "%*s ...\n", width, "")
			n = last - 1
			continue
		}
		mark := "|"
		if first <= n && n <= last {
			mark = ">"
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%*d %s %s", width, n, mark, shownLine(lines[n-1])), " ") + "\n")
	}
	return b.String()
}

// shownLine returns a line that is safe to print, with its indentation.
func shownLine(line string) string {
	line = strings.ReplaceAll(line, "\t", "    ")
	text := strings.TrimLeft(line, " ")
	indentation := min(len(line)-len(text), excerptWidth)
	return line[:indentation] + termtext.Line(text, excerptWidth)
}

// instructionsOf returns a file's instructions, none if it cannot be parsed.
func instructionsOf(text []byte) (nodes []*parser.Node) {
	defer func() {
		// The parser may panic on untrusted input.
		if recover() != nil {
			nodes = nil
		}
	}()
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	return parsed.AST.Children
}
